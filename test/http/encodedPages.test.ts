import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PageResult } from "../../src/domain/document/Page.ts"
import { pageSize, portionBytes, upTo } from "../../src/domain/document/Portions.ts"
import { encodedPages, mostBytes, type PageDetail } from "../../src/http/handlers/pages/EncodedPages.ts"

const pageOf = (number: number, characters: number): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: "",
  lines: JSON.stringify(["x".repeat(characters)]),
  error: undefined,
  elapsedMillis: 1
})

/** How many characters of lines each look at the store brought, and what came of it. */
const looks = Effect.fnUntraced(function* (sizes: ReadonlyArray<number>, detail: PageDetail, limit: number) {
  const pages = sizes.map((size, index) => pageOf(index + 1, size))
  const portions: Array<number> = []
  const read = (from: number, count: number) =>
    Effect.sync(() => {
      const some = pages.slice(from - 1, from - 1 + count)
      const found = detail === "summary" ? some : upTo(some, portionBytes, pageSize)
      portions.push(found.reduce((sum, { lines }) => sum + lines.length, 0))
      return found
    })
  let counted = 0
  const count = (bytes: number) => Effect.sync(() => (counted += bytes)).pipe(Effect.asVoid)
  const bytes = yield* encodedPages(read, count, { detail, from: 1, limit })
  return { bytes: bytes.length, portions, counted }
})

const times = (count: number, size: number) => Array.from({ length: count }, () => size)

describe("an answer with many pages", () => {
  it.effect("holds a portion of them at a time, however large they are", () =>
    Effect.gen(function* () {
      const { bytes, portions } = yield* looks(times(500, 50_000), "lines", 500)
      assert.isAtMost(bytes, mostBytes + 100)
      assert.isAtMost(Math.max(...portions), 1.2 * 1024 * 1024)
    })
  )

  it.effect("counts its bytes before it reads on", () =>
    Effect.gen(function* () {
      const { bytes, counted, portions } = yield* looks(times(60, 50_000), "lines", 500)
      assert.isAbove(portions.length, 3)
      assert.isAtLeast(counted, bytes - 1024 * 1024)
    })
  )

  it.effect("is not misled by small pages before large ones", () =>
    Effect.gen(function* () {
      const { portions } = yield* looks([...times(20, 0), ...times(480, 50_000)], "lines", 500)
      assert.isAtMost(Math.max(...portions), mostBytes)
    })
  )

  it.effect("takes few looks at the store when pages are small, and one when only summaries are wanted", () =>
    Effect.gen(function* () {
      assert.isAtMost((yield* looks(times(500, 100), "text", 500)).portions.length, 5)
      assert.strictEqual((yield* looks(times(500, 50_000), "summary", 500)).portions.length, 1)
    })
  )
})
