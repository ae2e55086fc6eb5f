import { assert, describe, it } from "@effect/vitest"
import { across, cells, down, filled, find, grid, tablesOf, text } from "./tablePage.ts"

const lines = (rows: ReadonlyArray<ReadonlyArray<string>>, xs: ReadonlyArray<number>) =>
  rows.flatMap((words, index) => cells(words, xs, 100 + 14 * index))

const prose = "the quick brown fox jumps over it"

describe("what looks like a table and is none", () => {
  it("prose in two or three columns", () => {
    const two = Array.from({ length: 20 }, () => [prose, prose])
    const three = Array.from({ length: 20 }, () => [prose, prose, prose])
    assert.deepStrictEqual(tablesOf(lines(two, [50, 260])), [])
    assert.deepStrictEqual(tablesOf(lines(three, [50, 230, 410])), [])
  })

  it("contents, with and without rulings", () => {
    const contents = [
      ["1", "Introduction", "1"],
      ["2", "Installation", "4"],
      ["2.1", "From the shelf", "4"],
      ["3", "Use", "12"]
    ]
    assert.deepStrictEqual(tablesOf(lines(contents, [50, 80, 400])), [])
    const short = contents.map(([, name = "", page = ""]) => [name, page])
    assert.deepStrictEqual(tablesOf(lines(short, [50, 400]), grid([45, 395, 430], [88, 104, 118, 132, 146])), [])
  })

  it("a list of labels and values", () => {
    const labels = [
      ["Name:", "Anna Example"],
      ["Street:", "Long Road 5"],
      ["City:", "Springfield"],
      ["Country:", "Nowhere"]
    ]
    assert.deepStrictEqual(tablesOf(lines(labels, [50, 150])), [])
    assert.deepStrictEqual(tablesOf(lines(labels, [50, 150]), [across(88, 45, 300), across(146, 45, 300)]), [])
  })

  it("a list whose bullets stand apart", () => {
    const list = Array.from({ length: 6 }, (_, index) => ["•", `item ${index} of the list`])
    assert.deepStrictEqual(tablesOf(lines(list, [50, 70])), [])
  })

  it("code with comments", () => {
    const code = [
      ["let x = 1", "// the first"],
      ["let y = 2", "// the second"],
      ["return x + y", "// their sum"]
    ]
    assert.deepStrictEqual(tablesOf(lines(code, [50, 200])), [])
  })

  it("a drawing with labels on its lines", () => {
    const ys = [100, 150, 200, 250, 300]
    const labels = ys.map((y, index) => text(`${10 * index}`, 55, y + 3))
    const things = [...ys.map((y) => across(y, 80, 400)), ...[80, 160, 240, 320, 400].map((x) => down(x, 100, 300))]
    assert.deepStrictEqual(tablesOf([...labels, text("Sales", 200, 320), text("Year", 200, 340)], things), [])
    const inside = ys.map((y, index) => text(`${10 * index}`, 85, y + 3))
    assert.deepStrictEqual(tablesOf(inside, things), [])
  })

  it("a frame around text", () => {
    const page = Array.from({ length: 6 }, (_, index) => text(prose, 55, 113 + 14 * index))
    assert.deepStrictEqual(tablesOf(page, grid([50, 400], [100, 190])), [])
  })

  it("justified lines in a frame", () => {
    const page = [
      ...cells(
        ["Signatures", "on", "this", "page", "are", "those", "of", "all"],
        [55, 130, 160, 200, 245, 280, 330, 360],
        113
      ),
      ...cells(
        ["who", "may", "bind", "their", "own", "firms", "by", "it"],
        [55, 90, 130, 175, 225, 265, 320, 370],
        127
      ),
      text("the end", 55, 141)
    ]
    assert.deepStrictEqual(tablesOf(page, grid([50, 400], [100, 145])), [])
  })

  it("a page of which nothing is a table keeps its segments as they are", () => {
    const page = lines([[prose], [prose], [prose], [prose]], [50])
    assert.strictEqual(find(page).rest, page)
  })

  it("bars across a grid, and a grid with one row of labels", () => {
    const lines = grid([100, 160, 220, 280, 340], [100, 130, 160, 190])
    const bars = [0, 1, 2].map((row) => filled(100, 190 + 40 * row, 105 + 30 * row, 125 + 30 * row))
    const labels = [0, 1, 2].flatMap((row) =>
      cells(["Men", "Women", "30%", "12%"], [105, 165, 225, 285], 118 + 30 * row)
    )
    assert.strictEqual(tablesOf(labels, lines).length, 1)
    assert.deepStrictEqual(tablesOf(labels, [...lines, ...bars]), [])
    const ticks = [...cells(["0", "10", "20", "30"], [105, 165, 225, 285], 178), text("Number of households", 165, 148)]
    assert.deepStrictEqual(tablesOf(ticks, lines), [])
  })

  it("takes lists that stand beside each other for lists", () => {
    const page = ["1.", "2.", "3.", "4."].flatMap((number, index) =>
      cells([`${number} one`, `• two ${number}`, `• three`], [50, 200, 350], 100 + 14 * index)
    )
    assert.deepStrictEqual(tablesOf(page), [])
  })
})
