import { assert, describe, it } from "@effect/vitest"
import type { TextRun } from "../../../../src/layers/pdf/text/Fragments.ts"
import { bareMatter, layoutPage, layoutText } from "../../../../src/layers/pdf/text/Layout.ts"

const viewport = { width: 600, height: 800, transform: [1, 0, 0, -1, 0, 800] }

const run = (str: string, x: number, y: number, more: Partial<TextRun> = {}): TextRun => ({
  str,
  dir: "rtl",
  width: str.length * 5,
  height: 10,
  transform: [10, 0, 0, 10, x, 800 - y],
  ...more
})

describe("a page that is read from right to left", () => {
  it("has its right column first", () => {
    const words = ["שורה ארוכה של טקסט בעברית עם מילים רבות", "ועוד שורה אחת של טקסט ארוך מאוד בטור הזה"]
    const column = (x: number, mark: string) =>
      Array.from({ length: 6 }, (_, row) => run(`${mark} ${words[row % 2] ?? ""}`, x, 100 + 14 * row))
    const { text } = layoutText([...column(50, "שמאל"), ...column(330, "ימין")], bareMatter(viewport))
    assert.isBelow(text.lastIndexOf("ימין"), text.indexOf("שמאל"))
  })

  it("has the first column of its tables on the right", () => {
    const rows = ["ינואר", "פברואר", "מרץ", "אפריל", "מאי", "יוני"]
    const items = rows.flatMap((month, row) => [
      run(`${row + 7}00`, 60, 100 + 20 * row, { dir: "ltr" }),
      run(`${row + 1}50`, 220, 100 + 20 * row, { dir: "ltr" }),
      run(month, 400, 100 + 20 * row)
    ])
    const { layout, text } = layoutPage(items, bareMatter(viewport))
    const table = layout.blocks.find((block) => block._tag === "table")
    assert.strictEqual(table?.columns, 3)
    const first = table?.cells.filter(({ column, row }) => row === 0 && column === 0).flatMap(({ lines }) => lines)
    assert.strictEqual(first?.flatMap(({ spans }) => spans.map((span) => span.text)).join(""), "ינואר")
    assert.strictEqual(text.split("\n")[0], "ינואר 150 700")
  })

  it("has the letters of lam-alef in their order, whichever way the file gives them", () => {
    const glyphs = ["ة", "ي", "\u0625\u0644"]
    const places = [0, 5, 0, 5, 10, 0, 10, 15, 0]
    const { text } = layoutText([run("إلية", 100, 100, { glyphs, places, width: 15 })], bareMatter(viewport))
    assert.strictEqual(text, "\u0644\u0625ية")
  })
})
