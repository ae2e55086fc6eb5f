// What looks like a grid may be a drawing, a form, a list or prose in columns.
import type { FoundTable } from "./FoundTable.ts"
import { isNumeric } from "./Rows.ts"

export type Kind = "ruled" | "half-ruled" | "unruled"

const textOf = (table: FoundTable, row: number, column: number): string =>
  table.cells
    .filter((cell) => cell.row === row && cell.column === column)
    .flatMap(({ segments }) => segments.map(({ text }) => text))
    .join(" ")

const fewestNumbers = 5

/** Two columns are a table only if every word has its number, and the numbers are not those of pages in ascending order. */
const isListOfNumbers = (table: FoundTable): boolean => {
  const { headerRows, rows } = table
  const values = Array.from({ length: rows - headerRows }, (_, index) => textOf(table, headerRows + index, 1).trim())
  const names = values.map((_, index) => textOf(table, headerRows + index, 0).trim())
  if (values.length < fewestNumbers || names.some((name) => name === "") || !values.every((value) => isNumeric(value))) return false
  const numbers = values.map((value) => Number(value.replace(/[,\s]/g, "")))
  return !numbers.every((value, index) => Number.isInteger(value) && value >= (numbers[index - 1] ?? -Infinity))
}

export const isTable = (table: FoundTable, kind: Kind): boolean => {
  const { rows, columns, cells } = table
  const share = cells.length / (rows * columns)
  const characters = cells.reduce((sum, { segments }) => sum + segments.reduce((own, { text }) => own + text.length, 0), 0)
  if (characters === 0) return false
  if (kind === "ruled") {
    if (columns === 1) return rows >= 3 && share >= 0.7
    if (rows === 1) return columns >= 3 && share >= 0.7
    return share >= 0.25
  }
  if (rows - table.headerRows < 2 || columns < 2) return false
  const firsts = Array.from({ length: rows }, (_, row) => textOf(table, row, 0).trim()).filter((text) => text !== "")
  const markers = firsts.filter((text) => /^([•◦▪‣·–—*o-]|\(?(\d{1,3}|[a-z]|[ivx]{1,4})[.)]|\[\d+\])$/iu.test(text)).length
  if (columns === 2 && firsts.length > 0 && markers >= 0.6 * firsts.length) return false
  if (share < 0.35) return false
  const longest = cells.filter(({ segments }) => segments.reduce((own, { text }) => own + text.length, 0) > 120).length
  if (kind === "half-ruled") return longest <= 0.35 * cells.length
  if (longest > 0.1 * cells.length) return false
  if (columns === 2) return isListOfNumbers(table)
  const filled = Array.from({ length: rows }, () => 0)
  for (const { row } of cells) filled[row] = (filled[row] ?? 0) + 1
  const full = filled.filter((count) => count >= Math.max(2, 0.6 * columns)).length
  return full >= 3 && full >= 0.5 * rows
}
