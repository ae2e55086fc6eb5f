import { assert, describe, it } from "@effect/vitest"
import { across, cells, down, filled, find, grid, tablesOf, text } from "./tablePage.ts"

const xs = [50, 150, 250, 350]
const at = [55, 155, 255]

describe("tables that are drawn", () => {
  it("has the cells of the grid, and leaves the rest of the page", () => {
    const page = [
      text("A heading above", 50, 80),
      ...cells(["City", "Monday", "Tuesday"], at, 113),
      ...cells(["Sydney", "23", "28"], at, 133),
      ...cells(["Melbourne", "15", ""], at, 153)
    ]
    const { rest, tables } = find(page, grid(xs, [100, 120, 140, 160]))
    assert.deepStrictEqual(
      tables.map(({ box, headerRows }) => ({ box, headerRows })),
      [{ box: { left: 50, right: 350, top: 100, bottom: 160 }, headerRows: 1 }]
    )
    assert.deepStrictEqual(tablesOf(page, grid(xs, [100, 120, 140, 160])), [
      ["City|Monday|Tuesday", "Sydney|23|28", "Melbourne|15|"]
    ])
    assert.deepStrictEqual(
      rest.map((segment) => segment.text),
      ["A heading above"]
    )
  })

  it("begins at the right where the text is read from there", () => {
    const page = [...cells(["ثلاثة", "اثنان", "واحد"], at, 113), ...cells(["30", "20", "مدينة"], at, 133)].map(
      (segment) => ({ ...segment, rightToLeft: /\p{L}/u.test(segment.text) })
    )
    const [table] = find(page, grid(xs, [100, 120, 140])).tables
    assert.deepStrictEqual(
      table?.cells.map(({ box, column, row }) => `${row} ${column} ${box.left}`),
      ["0 0 250", "0 1 150", "0 2 50", "1 0 250", "1 1 150", "1 2 50"]
    )
  })

  it("joins what no line divides, to the right and downwards", () => {
    const things = [
      ...[50, 150, 250, 350].map((x) => down(x, x === 250 ? 120 : 100, 160)),
      across(100, 50, 350),
      across(120, 150, 350),
      across(140, 50, 350),
      across(160, 50, 350)
    ]
    const page = [
      ...cells(["Region", "Rain in both years"], [55, 160], 113),
      ...cells(["2001", "2002"], [155, 255], 133),
      ...cells(["North", "5", "6"], at, 153)
    ]
    assert.deepStrictEqual(tablesOf(page, things), [["Region|Rain in both years|>", "^|2001|2002", "North|5|6"]])
    assert.strictEqual(find(page, things).tables[0]?.headerRows, 2)
  })

  it("keeps the lines of a cell together, and cells that stand in the middle of theirs", () => {
    const page = [
      ...cells(["Genes", "Protein", "Effect"], at, 113),
      text("2 copies", 55, 133),
      text("of the allele", 55, 145),
      text("dissolves", 155, 139),
      text("none", 255, 139)
    ]
    assert.deepStrictEqual(tablesOf(page, grid(xs, [100, 120, 150])), [
      ["Genes|Protein|Effect", "2 copies of the allele|dissolves|none"]
    ])
  })

  it("finds rows below a ruled head where only columns are divided", () => {
    const page = [
      ...cells(["Name", "Sum", "Share"], at, 113),
      ...["North", "South", "East", "West"].flatMap((name, index) =>
        cells([name, `${index + 1}00`, `${index}.5`], at, 133 + 14 * index)
      )
    ]
    assert.deepStrictEqual(tablesOf(page, grid(xs, [100, 120, 190])), [
      ["Name|Sum|Share", "North|100|0.5", "South|200|1.5", "East|300|2.5", "West|400|3.5"]
    ])
  })

  it("ends rows where their coloured ground ends", () => {
    const page = [
      ...cells(["No.", "Organisation", "Members"], at, 113),
      ...cells(["1", "Union of Youth", "17,266"], at, 133),
      text("Federations", 155, 145),
      ...cells(["2", "Women for", "9,835"], at, 163),
      text("Peace", 155, 175),
      ...cells(["3", "Students", "711"], at, 193)
    ]
    const things = [
      across(100, 50, 350),
      across(120, 50, 350),
      down(150, 100, 200),
      down(250, 100, 200),
      filled(50, 350, 150, 180),
      filled(50, 350, 120, 150)
    ]
    assert.deepStrictEqual(tablesOf(page, things), [
      ["No.|Organisation|Members", "1|Union of Youth Federations|17,266", "2|Women for Peace|9,835", "3|Students|711"]
    ])
  })

  it("knows cells by their ground alone", () => {
    const things = [0, 1, 2].flatMap((row) =>
      [0, 1, 2].map((column) => filled(50 + 100 * column, 149 + 100 * column, 100 + 30 * row, 129 + 30 * row))
    )
    const page = [0, 1, 2].flatMap((row) => cells([`a${row}`, `b${row}`, `c${row}`], at, 118 + 30 * row))
    assert.deepStrictEqual(tablesOf(page, things), [["a0|b0|c0", "a1|b1|c1", "a2|b2|c2"]])
  })

  it("reads lines drawn as thin rectangles, in pieces and twice", () => {
    const things = [
      ...grid(xs, [100, 120, 140]).flatMap((line) => [
        { ...line, kind: "rectangle" as const, right: line.right + 0.7, bottom: line.bottom + 0.7 },
        line
      ]),
      across(120, 50, 130),
      across(120, 132, 350)
    ]
    const page = [...cells(["a", "b", "c"], at, 113), ...cells(["d", "e", "f"], at, 133)]
    assert.deepStrictEqual(tablesOf(page, things), [["a|b|c", "d|e|f"]])
  })

  it("keeps the empty rows of a form, but finds no table in a nearly empty grid", () => {
    const ys = [100, 120, 140, 160, 180]
    const form = [
      ...cells(["Item", "Price", "Sum"], at, 113),
      ...["one", "two", "three"].map((word, index) => text(word, 55, 133 + 20 * index))
    ]
    assert.deepStrictEqual(tablesOf(form, grid(xs, ys)), [["Item|Price|Sum", "one||", "two||", "three||"]])
    assert.deepStrictEqual(
      tablesOf([text("Date", 55, 113), text("Place", 55, 133), text("x", 500, 500), text("y", 500, 600)], grid(xs, ys)),
      []
    )
  })

  it("leaves out a title and notes that are drawn as its rows", () => {
    const page = [
      text("Exhibit 4 Weather of the week", 55, 93),
      ...cells(["City", "Monday", "Tuesday"], at, 113),
      ...cells(["Sydney", "23", "28"], at, 133),
      text("Note: in degrees, at noon, where", 55, 153),
      text("the sun shines", 55, 165)
    ]
    const things = [
      ...[80, 100, 120, 140, 170].map((y) => across(y, 50, 350)),
      ...[50, 350].map((x) => down(x, 80, 170)),
      ...[150, 250].map((x) => down(x, 100, 140))
    ]
    const { rest, tables } = find(page, things)
    assert.deepStrictEqual(tablesOf(page, things), [["City|Monday|Tuesday", "Sydney|23|28"]])
    assert.deepStrictEqual(tables[0]?.box, { left: 50, right: 350, top: 100, bottom: 140 })
    assert.strictEqual(rest.length, 3)
  })
})
