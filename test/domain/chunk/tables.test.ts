import { assert, describe, it } from "@effect/vitest"
import { heading, layoutOf, line, paragraph, simpleTable, table, textBlock } from "../../support/layouts.ts"
import { checkChunks, chunksOf, pagesOf } from "./support.ts"

const rows = (n: number) => Array.from({ length: n }, (_, i) => [`name ${i}`, `value ${i} of some length`])
const head = ["Name", "Value"]

describe("tables in chunks", () => {
  it("are chunks of their own, with their caption and the heading right above", () => {
    const pages = pagesOf([
      layoutOf(
        paragraph("Before."),
        heading(1, "Data"),
        textBlock("caption", ["Table 1: All"]),
        simpleTable(1, [head, ...rows(2)]),
        paragraph("After.")
      )
    ])
    const chunks = chunksOf(pages)
    checkChunks(chunks, pages, 512)
    assert.deepStrictEqual(
      chunks.map(({ headings, kind, text }) => ({ headings, kind, text })),
      [
        { headings: [], kind: "text", text: "Before." },
        {
          headings: ["Data"],
          kind: "table",
          text: "Data\n\nTable 1: All\n\n| Name | Value |\n| --- | --- |\n| name 0 | value 0 of some length |\n| name 1 | value 1 of some length |"
        },
        { headings: ["Data"], kind: "text", text: "After." }
      ]
    )
  })

  it("stand in one box, not in one for each cell", () => {
    const cells = [0, 1, 2].flatMap((row) =>
      [0, 1].map((column) => ({
        row,
        column,
        rows: 1,
        columns: 1,
        box: { x: 72 + column * 140, y: 200 + row * 20, width: 100, height: 14 },
        lines: [line(`cell ${row} ${column}`, {}, 72 + column * 140, 200 + row * 20)]
      }))
    )
    const box = { x: 72, y: 200, width: 240, height: 54 }
    const pages = pagesOf([layoutOf({ _tag: "table", box, rows: 3, columns: 2, headerRows: 1, cells })])
    const places = chunksOf(pages).map(({ places }) => places)
    assert.deepStrictEqual(places, [[{ page: 1, box: { x: 72, y: 200, width: 180, height: 50 } }]])
  })

  it("are divided between rows, with caption and header again", () => {
    const pages = pagesOf([layoutOf(simpleTable(1, [head, ...rows(40)]), textBlock("caption", ["Table 1: All"]))])
    const chunks = chunksOf(pages, 128)
    checkChunks(chunks, pages, 128)
    assert.isAbove(chunks.length, 3)
    for (const [index, { kind, part, text }] of chunks.entries()) {
      assert.strictEqual(kind, "table")
      assert.deepStrictEqual(part, { index, count: chunks.length })
      assert.isTrue(text.startsWith("Table 1: All\n\n| Name | Value |\n| --- | --- |\n| name "))
      assert.isTrue(text.endsWith(" of some length |"))
    }
  })

  it("go on over a page break without their repeated header", () => {
    const pages = pagesOf([
      layoutOf(simpleTable(1, [head, ...rows(3)])),
      layoutOf(simpleTable(1, [head, ["name 9", "value 9"]]))
    ])
    const [chunk, ...more] = chunksOf(pages)
    assert.deepStrictEqual(more, [])
    assert.strictEqual(chunk?.text.split("| Name | Value |").length, 2)
    assert.deepStrictEqual(chunk?.pages, [1, 2])
    checkChunks(
      [chunk].flatMap((each) => each ?? []),
      pages,
      512
    )
  })

  it("tell a row that is larger than the limit, and never divide it", () => {
    const long = Array.from({ length: 200 }, (_, i) => `cell${i}`).join(" ")
    const pages = pagesOf([layoutOf(simpleTable(1, [head, ["a", "b"], ["c", long], ["d", "e"]]))])
    const chunks = chunksOf(pages, 100)
    checkChunks(chunks, pages, 100)
    const large = chunks.filter(({ oversized }) => oversized === true)
    assert.strictEqual(large.length, 1)
    assert.strictEqual(large[0]?.text, `| c | ${long} |`)
  })

  it("leave a header out that would leave no room for rows", () => {
    const wide = [Array.from({ length: 60 }, (_, i) => `head${i}`).join(" "), "Value"]
    const pages = pagesOf([layoutOf(simpleTable(1, [wide, ...rows(20)]))])
    const chunks = chunksOf(pages, 128)
    checkChunks(chunks, pages, 128)
    assert.strictEqual(chunks.filter(({ text }) => text.includes("head59")).length, 1)
  })

  it("show cells that span columns once, and escape pipes", () => {
    const pages = pagesOf([
      layoutOf(
        table(2, 3, 0, [
          [0, 0, "a|b", 1, 2],
          [0, 2, "c"],
          [1, 0, "d"],
          [1, 2, "f"]
        ])
      )
    ])
    const [chunk] = chunksOf(pages)
    assert.strictEqual(chunk?.text, "| a\\|b |  | c |\n| d |  | f |")
  })
})
