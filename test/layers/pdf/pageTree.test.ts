import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PdfObject } from "../../support/pdf.ts"
import { writeObjects } from "../../support/pdf.ts"
import { codesOf, helvetica, readAll, shows, stream } from "./written.ts"

// Objects 4 to 7 are pages that say "one" to "four", 8 to 11 what they show.
const words = ["one", "two", "three", "four"]
const page = (index: number, parent = 2) =>
  `<< /Type /Page /Parent ${parent} 0 R /MediaBox [0 0 612 792] /Contents ${index + 8} 0 R
    /Resources << /Font << /F1 3 0 R >> >> >>`

const fileWith = (root: string, parents: ReadonlyArray<number> = [2, 2, 2, 2], more: ReadonlyArray<PdfObject> = []) =>
  writeObjects([
    "<< /Type /Catalog /Pages 2 0 R >>",
    root,
    helvetica,
    ...words.map((_, index) => page(index, parents[index])),
    ...words.map((word) => stream(shows(word))),
    ...more
  ])
const tree = (kids: string, count: number | string) => `<< /Type /Pages /Kids [${kids}] /Count ${count} >>`

/** What each page says; nothing of one that failed. */
const pagesOf = (bytes: Uint8Array) =>
  Effect.map(readAll(bytes), ({ described, pages }) => ({
    pages: pages.map(({ status, text }) => (status === "failed" ? undefined : text)),
    codes: codesOf(described)
  }))

describe("a page tree with a broken entry", () => {
  for (const [what, kid] of [
    ["a missing object", "99 0 R"],
    ["null", "null"],
    ["a number", "7"],
    ["a name", "/Page"],
    ["an object that is no page", "3 0 R"],
    ["a stream", "8 0 R"]
  ] as const) {
    it.effect(`keeps the pages behind ${what}, and names the one that is not there`, () =>
      Effect.gen(function* () {
        const inTheMiddle = yield* pagesOf(fileWith(tree(`4 0 R ${kid} 5 0 R 6 0 R`, 4)))
        assert.deepStrictEqual(inTheMiddle.pages, ["one", undefined, "two", "three"])
        const first = yield* pagesOf(fileWith(tree(`${kid} 4 0 R 5 0 R`, 3)))
        assert.deepStrictEqual(first.pages, [undefined, "one", "two"])
        const last = yield* pagesOf(fileWith(tree(`4 0 R 5 0 R ${kid}`, 3)))
        assert.deepStrictEqual(last.pages, ["one", "two", undefined])
      })
    )
  }

  it.effect("keeps the pages behind a reference to the tree itself, and tells", () =>
    Effect.gen(function* () {
      const found = yield* pagesOf(fileWith(tree("4 0 R 2 0 R 5 0 R 6 0 R", 4)))
      assert.deepStrictEqual(found, { pages: ["one", "two", "three"], codes: ["PAGES_UNREACHABLE"] })
    })
  )

  it.effect("keeps the pages behind it in a node of its own", () =>
    Effect.gen(function* () {
      const nested = [tree("4 0 R 99 0 R 5 0 R", 3), tree("6 0 R 7 0 R", 2)]
      const { pages } = yield* pagesOf(fileWith(tree("12 0 R 13 0 R", 5), [12, 12, 13, 13], nested))
      assert.deepStrictEqual(pages, ["one", undefined, "two", "three", "four"])
    })
  )

  it.effect("finds the pages of a node that is missing", () =>
    Effect.gen(function* () {
      const found = yield* pagesOf(fileWith(tree("99 0 R 12 0 R", 4), [99, 99, 12, 12], [tree("6 0 R 7 0 R", 2)]))
      assert.deepStrictEqual(found, { pages: words, codes: ["PAGES_UNREACHABLE"] })
    })
  )
})

describe("a page tree with a wrong count", () => {
  for (const count of [0, -3, 1, 2, 9, 1_000_000_000, "null", "/Four"]) {
    it.effect(`has the pages that are there when it claims ${count}`, () =>
      Effect.gen(function* () {
        const found = yield* pagesOf(fileWith(tree("4 0 R 5 0 R 6 0 R 7 0 R", count)))
        assert.deepStrictEqual(found, { pages: words, codes: ["PAGES_UNREACHABLE"] })
      })
    )
  }

  it.effect("has the pages that are there when a node claims too few", () =>
    Effect.gen(function* () {
      const nested = [tree("4 0 R 5 0 R", 1), tree("6 0 R 7 0 R", 2)]
      const found = yield* pagesOf(fileWith(tree("12 0 R 13 0 R", 3), [12, 12, 13, 13], nested))
      assert.deepStrictEqual(found, { pages: words, codes: ["PAGES_UNREACHABLE"] })
    })
  )

  it.effect("warns of nothing when counts are right, also with a node that has no pages", () =>
    Effect.gen(function* () {
      const nested = [tree("4 0 R 5 0 R 14 0 R", 2), tree("6 0 R 7 0 R", 2), tree("", 0)]
      const found = yield* pagesOf(fileWith(tree("12 0 R 13 0 R", 4), [12, 12, 13, 13], nested))
      assert.deepStrictEqual(found, { pages: words, codes: [] })
    })
  )
})

describe("a file without a trailer", () => {
  const whole = Buffer.from(fileWith(tree("4 0 R 5 0 R 6 0 R 7 0 R", 4)))
  const without = (change: (text: string) => string) =>
    new Uint8Array(Buffer.from(change(whole.toString("latin1")), "latin1"))

  for (const [what, change] of [
    ["its trailer", (text: string) => text.slice(0, text.indexOf("trailer"))],
    ["its trailer's name", (text: string) => text.replace("trailer", "trailex")],
    ["the root of its trailer", (text: string) => text.replace("/Root 1 0 R", "")],
    ["its table of objects", (text: string) => text.slice(0, text.indexOf("xref\n"))],
    ["its end", (text: string) => text.slice(0, text.indexOf("startxref"))]
  ] as const) {
    it.effect(`is read without ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* pagesOf(without(change)), { pages: words, codes: ["DAMAGE_REPAIRED"] })
      })
    )
  }

  it.effect("is read without a page tree", () =>
    Effect.gen(function* () {
      const { pages } = yield* pagesOf(
        without((text) => text.replace("/Pages 2 0 R", "           ").replace("/Type /Pages", "/Type /Pagex"))
      )
      assert.deepStrictEqual(pages, words)
    })
  )
})
