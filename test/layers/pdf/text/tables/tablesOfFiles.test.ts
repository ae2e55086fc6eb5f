import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PageLayout, Table } from "../../../../../src/domain/document/PageLayout.ts"
import { textOfLine } from "../../../../../src/domain/document/PageLayout.ts"
import { onePage, stream } from "../../written.ts"
import { read } from "../laidOut.ts"

const at = (words: string, x: number, y: number): string => `BT /F1 10 Tf ${x} ${y} Td (${words}) Tj ET\n`
const row = (words: ReadonlyArray<string>, y: number): string =>
  words.map((word, column) => (word === "" ? "" : at(word, 105 + 100 * column, y))).join("")
const words = row(["City", "Monday", "Tuesday"], 686) + row(["Sydney", "23", "28"], 666) + row(["Perth", "15", ""], 646)
const strokes =
  [700, 680, 660, 640].map((y) => `100 ${y} m 400 ${y} l S\n`).join("") +
  [100, 200, 300, 400].map((x) => `${x} 640 m ${x} 700 l S\n`).join("")

const tablesOf = ({ blocks }: PageLayout): ReadonlyArray<Table> =>
  blocks.flatMap((block) => (block._tag === "table" ? [block] : []))
const cellsOf = ({ cells }: Table): ReadonlyArray<string> =>
  cells.map(
    ({ column, columns, lines, row: first, rows }) =>
      `${first},${column} ${rows}x${columns} ${lines.map(textOfLine).join(" ")}`
  )

const whole = [
  "0,0 1x1 City",
  "0,1 1x1 Monday",
  "0,2 1x1 Tuesday",
  "1,0 1x1 Sydney",
  "1,1 1x1 23",
  "1,2 1x1 28",
  "2,0 1x1 Perth",
  "2,1 1x1 15"
]

describe("tables of files", () => {
  it.effect("are blocks between those above and below, with their cells and boxes", () =>
    Effect.gen(function* () {
      const { layout, page } = yield* read(
        onePage({
          content: `1 0 0 1 0 -200 cm ${at("Above the table stands a line of text", 72, 730)}${strokes}${words}${at("And below it stands another one", 72, 600)}`
        })
      )
      assert.deepStrictEqual(
        layout.blocks.map(({ _tag }) => _tag),
        ["paragraph", "table", "paragraph"]
      )
      const [table] = tablesOf(layout)
      assert.deepInclude(table, { rows: 3, columns: 3, headerRows: 1, box: { x: 100, y: 292, width: 300, height: 60 } })
      assert.deepStrictEqual(table === undefined ? [] : cellsOf(table), whole)
      assert.deepStrictEqual(table?.cells[0]?.box, { x: 100, y: 292, width: 100, height: 20 })
      assert.include(page.text, "City Monday Tuesday\nSydney 23 28\nPerth 15\n")
    })
  )

  it.effect("are found in a form under another matrix, and on a turned page", () =>
    Effect.gen(function* () {
      const form = stream(
        strokes + words,
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >>"
      )
      const placed = onePage({
        content: "q 0.5 0 0 0.5 50 300 cm /X Do Q",
        resources: "/XObject << /X 6 0 R >>",
        more: [form]
      })
      assert.deepStrictEqual(tablesOf((yield* read(placed)).layout).map(cellsOf), [whole])
      const turned = onePage({ content: `0 1 -1 0 800 0 cm ${strokes}${words}`, page: "/Rotate 90" })
      assert.deepStrictEqual(tablesOf((yield* read(turned)).layout).map(cellsOf), [whole])
    })
  )

  it.effect("may be drawn with filled rectangles, all in one path", () =>
    Effect.gen(function* () {
      const bars =
        [700, 680, 660, 640].map((y) => `100 ${y} 300 0.5 re\n`).join("") +
        [100, 200, 300, 400].map((x) => `${x} 640 0.5 60 re\n`).join("")
      const { layout } = yield* read(onePage({ content: `${bars} f\n${words}` }))
      assert.deepStrictEqual(tablesOf(layout).map(cellsOf), [whole])
    })
  )

  it.effect("are neither what a clip cuts out nor what a map draws", () =>
    Effect.gen(function* () {
      const prose = Array.from({ length: 8 }, (_, line) =>
        at("words of prose as long as a line of the page is and on", 72, 690 - 14 * line)
      ).join("")
      const clipped = `q ${[700, 660, 620, 580].map((y) => `100 ${y} 300 40 re\n`).join("")} W n Q ${prose}`
      assert.deepStrictEqual(tablesOf((yield* read(onePage({ content: clipped }))).layout), [])
      const map = Array.from(
        { length: 25_000 },
        (_, index) => `${index % 600} ${(index * 7) % 790} m ${(index % 600) + 9} ${(index * 7) % 790} l S\n`
      ).join("")
      const { layout, page } = yield* read(onePage({ content: stream(map + prose) }))
      assert.deepStrictEqual(tablesOf(layout), [])
      assert.strictEqual(page.text.split("\n").length, 8)
    })
  )
})
