import { assert, describe, it } from "@effect/vitest"
import { across, cells, down, filled, find, grid, tablesOf, text } from "./tablePage.ts"

// Numbers that look like chance and are the same in every run.
const scattered = (count: number) => {
  let state = 7
  const next = (most: number): number => {
    state = (state * 48_271) % 2_147_483_647
    return state % most
  }
  return Array.from({ length: count }, () => ({ x: next(600), y: next(800), width: next(40) }))
}

const table = [...cells(["a", "b", "c"], [55, 155, 255], 113), ...cells(["d", "e", "f"], [55, 155, 255], 133)]
const drawnTable = grid([50, 150, 250, 350], [100, 120, 140])

describe("what the search for tables may cost", () => {
  it("gives up pages with more segments than a person reads", () => {
    const page = [...table, ...scattered(20_000).map(({ x, y }) => text("x", x, y + 200))]
    assert.deepStrictEqual(find(page, drawnTable).tables, [])
    assert.strictEqual(find(page, drawnTable).rest, page)
  })

  it("comes to an end with text at all places, and with one line of thousands of words", () => {
    const page = scattered(6_000).map(({ x, y, width }) => text("x".repeat(1 + width / 10), x, y))
    assert.isArray(find(page).tables)
    const long = Array.from({ length: 4 }, (_, row) =>
      Array.from({ length: 3_000 }, (_none, index) => text("word", 40 * index, 100 + 14 * row))
    ).flat()
    assert.deepStrictEqual(find(long).tables, [])
    assert.deepStrictEqual(
      find(long, [across(90, 0, 120_000), across(104, 0, 120_000), across(150, 0, 120_000)]).tables,
      []
    )
  })

  it("takes a page with more rulings than a table has for a picture", () => {
    const comb = Array.from({ length: 6_001 }, (_, index) => across(200 + 10 * index, 50, 350))
    assert.deepStrictEqual(tablesOf(table, [...drawnTable, ...comb]), [])
    const weave = [
      ...Array.from({ length: 600 }, (_, index) => across(300 + 5 * index, 400, 4_000)),
      ...Array.from({ length: 600 }, (_, index) => down(400 + 5 * index, 300, 4_000))
    ]
    assert.deepStrictEqual(tablesOf(table, [...drawnTable, ...weave]), [])
  })

  it("takes a lattice with more cells than a table has for a picture", () => {
    const fine = [
      ...Array.from({ length: 300 }, (_, index) => across(300 + 5 * index, 400, 1_600)),
      ...Array.from({ length: 240 }, (_, index) => down(400 + 5 * index, 300, 1_800))
    ]
    const page = [...table, ...scattered(500).map(({ x, y }) => text("x", 400 + x, 300 + y))]
    const found = tablesOf(page, [...drawnTable, ...fine])
    assert.deepStrictEqual(found[0], ["a|b|c", "d|e|f"])
    assert.isTrue(found.flat().every((row) => row.split("|").length <= 100))
  })

  it("does not compare thousands of coloured areas with each other", () => {
    const tiles = Array.from({ length: 3_000 }, (_, index) => {
      const [left, top] = [400 + 20 * (index % 50), 300 + 10 * Math.floor(index / 50)]
      return filled(left, left + 20, top, top + 10)
    })
    const page = [...table, ...scattered(500).map(({ x, y }) => text("x", 400 + x, 300 + y))]
    assert.strictEqual(tablesOf(page, [...drawnTable, ...tiles]).length, 1)
  })

  it("tries hundreds of rulings of one width, and no more", () => {
    const many = Array.from({ length: 3_000 }, (_, index) => across(100 + 4 * index, 50, 350))
    const page = Array.from({ length: 800 }, (_, index) => [
      text("left", 55, 113 + 14 * index),
      text("right", 255, 113 + 14 * index)
    ]).flat()
    assert.isArray(find(page, many).tables)
  })

  it("finds the same again, whatever came before", () => {
    const page = scattered(400).map(({ x, y, width }) => text("x".repeat(1 + width), x, y - (y % 14)))
    assert.deepStrictEqual(tablesOf(page), tablesOf(page))
  })
})
