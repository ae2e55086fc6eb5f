// What looks like a grid may be a drawing, a form, a list or prose in columns.
import type { FoundTable } from "./FoundTable.ts"
import { isNumeric } from "./Rows.ts"

export type Kind = "ruled" | "half-ruled" | "unruled"

const textOf = (table: FoundTable, row: number, column: number): string =>
  table.cells
    .filter((cell) => cell.row === row && cell.column === column)
    .flatMap(({ segments }) => segments.map(({ text }) => text))
    .join(" ")

const columnOf = (table: FoundTable, column: number): ReadonlyArray<string> =>
  Array.from({ length: table.rows - table.headerRows }, (_, index) =>
    textOf(table, table.headerRows + index, column).trim()
  )

/** Words, perhaps with a number before them, and the numbers of pages in ascending order. */
const isContents = (table: FoundTable): boolean => {
  const { columns, headerRows, rows } = table
  if (columns < 2 || columns > 3 || rows - headerRows < 3) return false
  const pages = columnOf(table, columns - 1).map((value) => (/^\d{1,4}$/.test(value) ? Number(value) : Number.NaN))
  if (!pages.every((value, index) => value >= (pages[index - 1] ?? 0))) return false
  if (columns === 3 && !columnOf(table, 0).every((value) => /^[\dA-Z.]{0,8}$/.test(value))) return false
  return columnOf(table, columns - 2).every((value) => /\p{L}/u.test(value))
}

/** Whether only the cells in the middle are to be filled in: the first row and the first column say what belongs there. */
const hasBothHeads = ({ cells, columns, rows }: FoundTable): boolean =>
  rows >= 3 &&
  columns >= 2 &&
  cells.filter(({ column, row }) => row === 0 && column > 0).length >= columns - 1 &&
  cells.filter(({ column, row }) => row > 0 && column === 0).length >= rows - 1

const fewestNumbers = 5
const fewestFilled = 8

/** Two columns without rulings are a table only if every word has its number. */
const isListOfNumbers = (table: FoundTable): boolean => {
  const { headerRows } = table
  const names = columnOf(table, 0)
  const values = columnOf(table, 1)
  // Two scales of a drawing have no head.
  if (headerRows === 0 && names.every((name) => isNumeric(name))) return false
  return (
    values.length >= fewestNumbers && names.every((name) => name !== "") && values.every((value) => isNumeric(value))
  )
}

const proseWords = 3.5

/** Prose in columns whose lines stand level: each column has several words in each line. */
const isProse = ({ cells, columns }: FoundTable): boolean => {
  const words = Array.from({ length: columns }, () => ({ cells: 0, words: 0 }))
  for (const { column, segments } of cells) {
    const own = words[column]
    if (own === undefined) continue
    own.cells++
    for (const { text } of segments) own.words += text.split(" ").length
  }
  return words.every((own) => own.cells > 0 && own.words >= proseWords * own.cells)
}

export const isTable = (table: FoundTable, kind: Kind): boolean => {
  const { rows, columns, cells } = table
  const share = cells.length / table.slots
  const characters = cells.reduce(
    (sum, { segments }) => sum + segments.reduce((own, { text }) => own + text.length, 0),
    0
  )
  if (characters === 0) return false
  if (isContents(table)) return false
  if (kind === "ruled") {
    // A form has many cells to be filled in.
    if (cells.length < fewestFilled && share < 0.5 && !hasBothHeads(table)) return false
    if (columns === 1) return rows >= 3 && share >= 0.7
    if (rows === 1) return columns >= 3 && share >= 0.7
    return share >= 0.25
  }
  if (rows - table.headerRows < 2 || columns < 2) return false
  const firsts = Array.from({ length: rows }, (_, row) => textOf(table, row, 0).trim()).filter((text) => text !== "")
  const markers = firsts.filter((text) =>
    /^([•◦▪‣·–—*o-]|\(?(\d{1,3}|[a-z]|[ivx]{1,4})[.)]|\[\d+\])$/iu.test(text)
  ).length
  if (columns === 2 && firsts.length > 0 && markers >= 0.6 * firsts.length) return false
  if (share < 0.35) return false
  const longest = cells.filter(({ segments }) => segments.reduce((own, { text }) => own + text.length, 0) > 120).length
  if (kind === "half-ruled") return longest <= 0.35 * cells.length
  if (longest > 0.1 * cells.length) return false
  if (columns === 2) return isListOfNumbers(table)
  if (isProse(table)) return false
  const heights = new Map<number, number>()
  for (const { column } of cells) heights.set(column, (heights.get(column) ?? 0) + 1)
  if ([...heights.values()].filter((count) => count >= Math.max(2, 0.25 * rows)).length < 3) return false
  const filled = Array.from({ length: rows }, () => 0)
  for (const { row } of cells) filled[row] = (filled[row] ?? 0) + 1
  const full = filled.filter((count) => count >= Math.max(2, 0.6 * columns)).length
  return full >= 3 && full >= 0.5 * rows
}
