import { assert, it } from "@effect/vitest"
import { BlobHash } from "../../../../src/domain/Ids.ts"
import { CacheEntries } from "../../../../src/layers/blobs/s3/CacheEntries.ts"

const hashOf = (digits: string) => BlobHash.make(digits.repeat(32))
const [a, b, c] = [hashOf("aa"), hashOf("bb"), hashOf("cc")] as const

const three = () => {
  const entries = new CacheEntries()
  for (const hash of [a, b, c]) entries.add(hash, 10, true)
  return entries
}

it("gives up the least recently used first, and only as much as it must", () => {
  const entries = three()
  entries.take(a)
  entries.give(a)
  assert.deepStrictEqual(entries.evict(30), [])
  assert.deepStrictEqual(entries.evict(29), [b])
  assert.deepStrictEqual(entries.evict(0), [c, a])
  assert.strictEqual(entries.bytes, 0)
})

it("keeps what is in use, also beyond the limit, and also if it is put again meanwhile", () => {
  const entries = three()
  entries.take(a)
  entries.take(a)
  entries.give(a)
  entries.add(a, 15, true)
  assert.deepStrictEqual(entries.evict(0), [b, c])
  assert.strictEqual(entries.bytes, 15)
  entries.give(a)
  assert.deepStrictEqual(entries.evict(0), [a])
})

it("keeps a blob whose file comes while it is in use, also if there is no room", () => {
  const entries = new CacheEntries()
  assert.isUndefined(entries.take(a))
  entries.add(a, 10, true)
  assert.deepStrictEqual(entries.evict(5), [])
  entries.give(a)
  assert.deepStrictEqual(entries.evict(5), [a])
})

it("counts the bytes of what it holds, whatever is forgotten or added twice", () => {
  const entries = three()
  entries.add(b, 4, false)
  entries.forget(c)
  entries.forget(c)
  entries.give(c)
  assert.strictEqual(entries.bytes, 14)
  assert.isUndefined(entries.take(c))
  assert.strictEqual(entries.take(b)?.isChecked, false)
  entries.check(b)
  assert.strictEqual(entries.take(b)?.isChecked, true)
})
