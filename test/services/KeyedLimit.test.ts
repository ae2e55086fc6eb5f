import { assert, describe, it } from "@effect/vitest"
import { KeyedLimit } from "../../src/services/KeyedLimit.ts"

describe("an amount with limits", () => {
  it("is refused beyond the limit of its key or of all keys, and taken again when some was given back", () => {
    const limit = new KeyedLimit<string>({ perKey: 2, total: 3 })
    assert.isUndefined(limit.take("a", 1))
    assert.isUndefined(limit.take("a", 1))
    assert.strictEqual(limit.take("a", 1), "key")
    assert.isUndefined(limit.take("b", 1))
    assert.strictEqual(limit.take("c", 1), "total")
    assert.deepStrictEqual([limit.held("a"), limit.held("b"), limit.held("c"), limit.held()], [2, 1, 0, 3])
    limit.add("a", -1)
    assert.isUndefined(limit.take("c", 1))
  })

  it("may exceed both limits while it is the only one", () => {
    const limit = new KeyedLimit<string>({ perKey: 2, total: 3 })
    assert.isUndefined(limit.take("a", 5))
    assert.strictEqual(limit.take("a", 1), "key")
    assert.strictEqual(limit.take("b", 1), "total")
    assert.strictEqual(limit.held(), 5)
  })
})
