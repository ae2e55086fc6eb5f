import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { tagBlocks } from "../../../../src/layers/pdf/text/tags/TagTree.ts"
import { onePage, stream } from "../written.ts"
import { read, shown } from "./laidOut.ts"

interface Tagged {
  readonly role: string
  readonly text: string
  readonly x?: number
  readonly y: number
  readonly size?: number
}

/** A page whose pieces of text have tags, in the order of `structure`: roles with the numbers of pieces below them. */
const taggedPage = (
  pieces: ReadonlyArray<Omit<Tagged, "role">>,
  /** For each piece, which of the elements it belongs to. */
  owners: ReadonlyArray<number>,
  elements: (first: number) => ReadonlyArray<string>
) => {
  const content = pieces
    .map(
      ({ size = 12, text, x = 72, y }, index) =>
        `/P << /MCID ${index} >> BDC BT /F1 ${size} Tf ${x} ${y} Td (${text}) Tj ET EMC`
    )
    .join("\n")
  const root = 6
  const found = elements(root + 2)
  return onePage({
    content: stream(content),
    catalog: `/MarkInfo << /Marked true >> /StructTreeRoot ${root} 0 R`,
    page: "/StructParents 0",
    more: [
      `<< /Type /StructTreeRoot /K ${root + 2} 0 R /ParentTree ${root + 1} 0 R >>`,
      `<< /Nums [0 [${owners.map((owner) => (owner < 0 ? "null" : `${root + 2 + owner} 0 R`)).join(" ")}]] >>`,
      ...found
    ]
  })
}

const page = "/Pg 3 0 R"
const element = (role: string, parent: number, kids: string, more = ""): string =>
  `<< /Type /StructElem /S /${role} /P ${parent} 0 R ${page} /K [${kids}] ${more} >>`

describe("a tagged page", () => {
  it.effect("is read by its structure: headings, lists and tables with spans", () =>
    Effect.gen(function* () {
      const pieces = [
        { text: "Small title", y: 700, size: 12 },
        { text: "A paragraph of text that is long enough to be one.", y: 670 },
        { text: "1.", y: 640 },
        { text: "An item of a list", x: 90, y: 640 },
        { text: "Both columns", y: 600 },
        { text: "left", y: 580 },
        { text: "right", x: 200, y: 580 }
      ]
      const bytes = taggedPage(pieces, [1, 2, 5, 4, 9, 10, 11], (first) => [
        element("Document", 6, [1, 2, 3, 6].map((at) => `${first + at} 0 R`).join(" ")),
        element("H2", first, "0"),
        element("P", first, "1"),
        element("L", first, `${first + 4} 0 R`),
        element("LI", first + 3, `${first + 5} 0 R 3`),
        element("Lbl", first + 4, "2"),
        element("Table", first, `${first + 7} 0 R ${first + 8} 0 R`),
        element("TR", first + 6, `${first + 9} 0 R`),
        element("TR", first + 6, `${first + 10} 0 R ${first + 11} 0 R`),
        element("TH", first + 7, "4", "/A << /O /Table /ColSpan 2 >>"),
        element("TD", first + 8, "5"),
        element("TD", first + 8, "6")
      ])
      const { layout } = yield* read(bytes)
      assert.strictEqual(layout.source, "tags")
      assert.deepStrictEqual(shown(layout), [
        "heading2: Small title",
        "paragraph: A paragraph of text that is long enough to be one.",
        "listItem0 1.: An item of a list",
        "table 2x2"
      ])
      const table = layout.blocks.find((block) => block._tag === "table")
      assert.deepStrictEqual(
        table?.cells.map(({ column, columns, row }) => [row, column, columns]),
        [
          [0, 0, 2],
          [1, 0, 1],
          [1, 1, 1]
        ]
      )
      assert.strictEqual(table?.headerRows, 1)
    })
  )

  it.effect("is read as it is seen if the tags miss text, go up the page, or call most of it a heading", () =>
    Effect.gen(function* () {
      const pieces = Array.from({ length: 8 }, (_, index) => ({
        text: `Line ${index} of the text of this page`,
        y: 700 - 40 * index
      }))
      const all = (role: string, kids: ReadonlyArray<number>) =>
        taggedPage(
          pieces,
          pieces.map((_, index) => kids.indexOf(index) + (kids.includes(index) ? 1 : 0)),
          (first) => [
            element("Document", 6, kids.map((_, index) => `${first + 1 + index} 0 R`).join(" ")),
            ...kids.map((kid, index) => element(index === 0 ? "H1" : role, first, String(kid)))
          ]
        )
      const sources = yield* Effect.forEach(
        [
          all("P", [0, 1, 2, 3, 4, 5, 6, 7]),
          all("P", [0, 1]),
          all("P", [7, 6, 5, 4, 3, 2, 1, 0]),
          all("H1", [0, 1, 2, 3, 4, 5, 6, 7])
        ],
        (bytes) => Effect.map(read(bytes), ({ layout, page }) => [layout.source, page.text.slice(0, 6)])
      )
      assert.deepStrictEqual(sources, [
        ["tags", "Line 0"],
        ["geometry", "Line 0"],
        ["geometry", "Line 0"],
        ["geometry", "Line 0"]
      ])
    })
  )
})

describe("a tree of tags", () => {
  it("is given up when it has more nodes than a page has, and not followed beyond a depth", () => {
    const many = {
      role: "Root",
      children: Array.from({ length: 30_000 }, (_, index) => ({
        role: "H1",
        children: [{ type: "content", id: `${index}` }]
      }))
    }
    assert.isUndefined(tagBlocks(many))
    let deep: object = { type: "content", id: "at the bottom" }
    for (let depth = 0; depth < 5_000; depth++) deep = { role: "H1", children: [deep] }
    assert.isUndefined(tagBlocks({ role: "Root", children: [deep] }))
    assert.isUndefined(tagBlocks({ role: "Root", children: [{ role: "P", children: [{ type: "content", id: "1" }] }] }))
    assert.isUndefined(tagBlocks(null))
  })
})
