import { assert, describe, it } from "@effect/vitest"
import { across, cells, find, numbers, tablesOf, text } from "./tablePage.ts"

const ends = [200, 280, 360]
const row = (name: string, values: ReadonlyArray<string>, y: number) => [text(name, 50, y), ...numbers(values, ends, y)]

const body = (from: number, names = ["North", "South", "East", "West"]) =>
  names.flatMap((name, index) => row(name, [`${index + 3}00`, `${index}.25`, `${11 * index + 10}`], from + 14 * index))

describe("tables between horizontal rulings", () => {
  it("has the head between the first two, and the rows below", () => {
    const page = [...row("Region", ["Sum", "Share", "Count"], 113), ...body(135)]
    const { tables } = find(page, [across(100, 45, 365), across(120, 45, 365), across(185, 45, 365)])
    assert.strictEqual(tables[0]?.headerRows, 1)
    assert.deepStrictEqual(tablesOf(page, [across(100, 45, 365), across(120, 45, 365), across(185, 45, 365)]), [
      ["Region|Sum|Share|Count", "North|300|0.25|10", "South|400|1.25|21", "East|500|2.25|32", "West|600|3.25|43"]
    ])
  })

  it("knows by the ruling under it how far a cell of the head reaches", () => {
    const page = [text("All items", 210, 113), ...row("Region", ["Sum", "Share", "Count"], 133), ...body(155)]
    const things = [across(100, 45, 365), across(117, 160, 365), across(140, 45, 365), across(210, 45, 365)]
    const [first] = tablesOf(page, things)
    assert.deepStrictEqual(first?.slice(0, 3), ["Region|All items|>|>", "^|Sum|Share|Count", "North|300|0.25|10"])
  })

  it("joins the lines of a head cell", () => {
    const page = [
      ...row("", ["Number", "Part of", ""], 110).slice(1),
      ...row("Region", ["of all", "the sum", "Count"], 122),
      ...body(143)
    ]
    const [first] = tablesOf(page, [across(98, 45, 365), across(128, 45, 365), across(195, 45, 365)])
    assert.strictEqual(first?.[0], "Region|Number of all|Part of the sum|Count")
  })

  it("keeps the title of some rows apart from them", () => {
    const page = [
      ...row("Region", ["Sum", "Share", "Count"], 113),
      text("Coast", 50, 135),
      ...body(149, ["Harbour", "Beach"]),
      text("Inland", 50, 177),
      ...body(191, ["Forest", "Field"])
    ]
    const [first] = tablesOf(page, [across(100, 45, 365), across(120, 45, 365), across(215, 45, 365)])
    assert.deepStrictEqual(first, [
      "Region|Sum|Share|Count",
      "Coast|||",
      "Harbour|300|0.25|10",
      "Beach|400|1.25|21",
      "Inland|||",
      "Forest|300|0.25|10",
      "Field|400|1.25|21"
    ])
  })

  it("takes the head from above the first ruling", () => {
    const page = [...row("Region", ["Sum", "Share", "Count"], 113), ...body(135)]
    const [first] = tablesOf(page, [across(120, 45, 365), across(190, 45, 365)])
    assert.strictEqual(first?.[0], "Region|Sum|Share|Count")
  })

  it("finds none between the rulings around the text of a page", () => {
    const prose = Array.from({ length: 30 }, (_, index) =>
      text("the quick brown fox jumps over the lazy dog and runs on to", 50, 120 + 14 * index)
    )
    assert.deepStrictEqual(tablesOf(prose, [across(100, 45, 365), across(600, 45, 365)]), [])
  })
})

describe("tables without rulings", () => {
  it("has columns where all lines have gaps", () => {
    const page = [
      text("Some words of prose above it, as long as the table is wide, and", 50, 80),
      ...row("Region", ["Sum", "Share", "Count"], 113),
      ...body(127)
    ]
    assert.deepStrictEqual(tablesOf(page), [
      ["Region|Sum|Share|Count", "North|300|0.25|10", "South|400|1.25|21", "East|500|2.25|32", "West|600|3.25|43"]
    ])
  })

  it("knows the lines of a cell by their distance, and cells that stand in the middle", () => {
    const at = [50, 120, 200]
    const page = [
      ...cells(["Version", "Date", "Change"], at, 100),
      text("April 30,", 120, 120),
      ...cells(["1.0", "", "Original"], at, 125.5),
      text("2022", 120, 131),
      text("June 3,", 120, 154),
      text("Small edits for", 200, 154),
      text("1.0", 50, 159.5),
      text("2022", 120, 165),
      text("attribution", 200, 165)
    ]
    assert.deepStrictEqual(tablesOf(page), [
      ["Version|Date|Change", "1.0|April 30, 2022|Original", "1.0|June 3, 2022|Small edits for attribution"]
    ])
  })

  it("stands in the middle over the columns that a cell of the head belongs to", () => {
    const page = [text("Lead time", 250, 99), ...row("Statistic", ["One", "Two", "Three"], 113), ...body(127)]
    const [first] = tablesOf(page)
    assert.deepStrictEqual(first?.slice(0, 2), ["Statistic|Lead time|>|>", "^|One|Two|Three"])
  })

  it("is found beside a column of prose", () => {
    const prose = Array.from({ length: 5 }, (_, index) =>
      text("words of prose that fill the whole column", 400, 113 + 14 * index)
    )
    const table = [...row("Region", ["Sum", "Share", "Count"], 113), ...body(127)]
    const { rest, tables } = find(
      [...table, ...prose].sort((one, other) => one.baseline - other.baseline || one.left - other.left)
    )
    assert.strictEqual(tables.length, 1)
    assert.strictEqual(rest.length, prose.length)
  })

  it("needs numbers where there are two columns only", () => {
    const names = ["North", "South", "East", "West", "Centre"]
    const lines = (values: ReadonlyArray<string>) => [
      ...row("Region", ["Sum"], 99),
      ...names.flatMap((name, index) => row(name, [values[index] ?? ""], 113 + 14 * index))
    ]
    assert.strictEqual(tablesOf(lines(["120", "135", "110", "170", "160"])).length, 1)
    assert.deepStrictEqual(tablesOf(lines(["Anna", "Bert", "Cleo", "Dora", "Emil"])), [])
  })

  it("reads a table with few cells in a row where each column has a name", () => {
    const xs = [50, 150, 250, 350, 450]
    const page = [
      ...cells(["Product", "Place", "Expected", "Actual", "Status"], xs, 100),
      ...cells(["A-1", "north", "450", "", ""], xs, 120),
      ...cells(["", "south", "", "289", ""], xs, 140),
      ...cells(["B-2", "", "780", "", "fine"], xs, 160),
      ...cells(["", "east", "", "15", ""], xs, 180)
    ]
    assert.deepStrictEqual(tablesOf(page), [
      ["Product|Place|Expected|Actual|Status", "A-1|north|450||", "|south||289|", "B-2||780||fine", "|east||15|"]
    ])
  })

  it("reads a head that ends far from its numbers, and one that nearly touches those of the column before", () => {
    const years = ["2019", "2020", "2021", "2022", "2023", "2024"]
    const page = [
      text("Year", 122, 100),
      text("Freshwater Ducks", 186, 100),
      ...years.flatMap((year, index) => numbers([year, `${120 + index}`], [184, 274], 113 + 13 * index))
    ]
    assert.deepStrictEqual(tablesOf(page), [
      ["Year|Freshwater Ducks", ...years.map((year, index) => `${year}|${120 + index}`)]
    ])
  })
})
