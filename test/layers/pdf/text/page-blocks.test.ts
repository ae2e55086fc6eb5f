import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { linesOf, prose, readText, set, shown } from "./laidOut.ts"

const kinds = (found: ReadonlyArray<string>): ReadonlyArray<string> =>
  found.map((text) => text.split(/[: ]/, 1)[0] ?? "")

describe("the blocks of a page", () => {
  it.effect("are headings by size and weight, and paragraphs by the space between them", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText([
        ...set(["Annual report"], { y: 140, size: 22 }),
        ...set(["Results of the year"], { y: 180, font: "bold" }),
        ...set(prose(4), { y: 200 }),
        ...set(prose(3, 78, 3), { y: 270 })
      ])
      assert.deepStrictEqual(kinds(shown(layout)), ["heading1", "heading2", "paragraph", "paragraph"])
      assert.deepStrictEqual(shown(layout).slice(0, 2), ["heading1: Annual report", "heading2: Results of the year"])
      assert.deepStrictEqual(linesOf(layout.blocks[2]), prose(4))
    })
  )

  it.effect("have headings as deep as their numbers, and a heading of two lines is one", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText([
        ...set(["1 Method"], { y: 140, size: 16, font: "bold" }),
        ...set(prose(3), { y: 165 }),
        ...set(["1.2.1 Details of the very long procedure that", "was used in the field"], {
          y: 230,
          size: 12,
          font: "bold"
        }),
        ...set(prose(3), { y: 265 })
      ])
      assert.strictEqual(
        shown(layout)[2],
        "heading3: 1.2.1 Details of the very long procedure that was used in the field"
      )
    })
  )

  it.effect("are items of lists where a bullet stands, however large they are set", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText([
        ...set(["- With a bullet", "- With another"], { y: 140, size: 24 }),
        ...set(prose(8), { y: 260 })
      ])
      assert.deepStrictEqual(shown(layout).slice(0, 2), ["listItem0 -: With a bullet", "listItem0 -: With another"])
    })
  )

  it.effect("are no headings for sentences in bold, entries of contents and most text of a page", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText([
        ...set(["Chapter one ................................. 7"], { y: 140, size: 14, font: "bold" }),
        ...set(["This sentence is set in bold so that nobody misses it."], { y: 180, font: "bold" }),
        ...set(prose(4), { y: 210 })
      ])
      assert.isFalse(shown(layout).some((text) => text.startsWith("heading")))
    })
  )

  it.effect("are items of lists with their markers and depths", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText([
        ...set(prose(2), { y: 140 }),
        ...set(["\u0095 First item"], { x: 90, y: 180 }),
        ...set(["- inner item of it"], { x: 110, y: 195 }),
        ...set(["\u0095 Second item"], { x: 90, y: 210 }),
        ...set(prose(2), { y: 240 }),
        ...set(["1. Wash the apples", "2. Peel them"], { x: 90, y: 280 })
      ])
      assert.deepStrictEqual(
        shown(layout).filter((text) => text.startsWith("listItem")),
        [
          "listItem0 \u2022: First item",
          "listItem1 -: inner item of it",
          "listItem0 \u2022: Second item",
          "listItem0 1.: Wash the apples",
          "listItem0 2.: Peel them"
        ]
      )
    })
  )

  it.effect("are captions, notes, and lines at the head and foot of the page", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText(
        [
          ...set(["Annual report"], { y: 40, size: 9 }),
          ...set(prose(3), { y: 120 }),
          ...set(["Figure 3. A picture of nothing."], { y: 420, size: 10 }),
          ...set(prose(12), { y: 460 }),
          ...set(["1 A note at the foot of the page."], { y: 740, size: 8 }),
          ...set(["17"], { x: 300, y: 810, size: 9 })
        ],
        "q 200 0 0 150 72 450 cm /Im Do Q"
      )
      assert.deepStrictEqual(kinds(shown(layout)), [
        "header",
        "paragraph",
        "figure",
        "caption",
        "paragraph",
        "footnote",
        "footer"
      ])
    })
  )

  it.effect("are paragraphs that go on in the next column", () =>
    Effect.gen(function* () {
      const left = [...prose(12, 40).slice(0, -1), "and here the sentence is not at its end"]
      const { layout } = yield* readText([
        ...set(left, { y: 140 }),
        ...set(["but goes on in the next column", ...prose(11, 40)], { x: 320, y: 140 })
      ])
      const paragraphs = layout.blocks.filter((block) => block._tag === "paragraph")
      assert.deepStrictEqual(
        paragraphs.map(({ continues }) => continues === true),
        [false, true]
      )
    })
  )
})

describe("the spans of a line", () => {
  it.effect("differ in weight and size, and their texts are the line", () =>
    Effect.gen(function* () {
      const { layout } = yield* readText([
        { text: "A line with ", x: 72, y: 700 },
        { text: "bold words", x: 132, y: 700, font: "bold" },
        { text: "2", x: 190.8, y: 704, size: 7 }
      ])
      const [block] = layout.blocks
      const spans = block !== undefined && "lines" in block ? block.lines.flatMap((line) => line.spans) : []
      assert.deepStrictEqual(
        spans.map(({ bold, raised, text }) => [text, bold === true, raised === true]),
        [
          ["A line with", false, false],
          [" bold words", true, false],
          ["2", false, true]
        ]
      )
      assert.deepStrictEqual(linesOf(block), ["A line with bold words2"])
    })
  )
})
