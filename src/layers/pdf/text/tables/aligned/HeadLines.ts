// How many of the lines of a table are its head.
import { isNumeric } from "../Rows.ts"
import type { Columns } from "./Columns.ts"
import type { TableLine } from "./TableLine.ts"
import { pieceIn } from "./TableLine.ts"

/** Columns of numbers, by the lines below the first few. */
const numericColumns = (lines: ReadonlyArray<TableLine>, columns: Columns): ReadonlySet<number> => {
  const found = new Set<number>()
  for (let column = 0; column < columns.columns.length; column++) {
    let numbers = 0
    let others = 0
    for (const line of lines) {
      if (!line.filled.includes(column) || line.spans) continue
      if (isNumeric(pieceIn(line, column, columns))) numbers++
      else others++
    }
    if (numbers >= 2 && numbers > others) found.add(column)
  }
  return found
}

const isHeadLine = (line: TableLine, numeric: ReadonlySet<number>, columns: Columns): boolean => {
  const own = line.filled.filter((column) => numeric.has(column))
  const numbers = own.filter((column) => {
    const text = pieceIn(line, column, columns)
    // A year or a number in brackets heads a column as words do.
    return isNumeric(text) && !/^\(?(19|20)\d\d\)?[*†]?$|^\(\w{1,3}\)$/.test(text.trim())
  })
  return numbers.length === 0
}

/** How many of the first lines are the head, without any rulings to tell it. */
export const headLines = (lines: ReadonlyArray<TableLine>, columns: Columns): number => {
  const numeric = numericColumns(lines, columns)
  if (numeric.size === 0) return 0
  let count = 0
  while (count < lines.length && count < 8) {
    const line = lines[count]
    if (line === undefined || !isHeadLine(line, numeric, columns)) break
    count++
  }
  if (count >= lines.length) return 0
  // A line with the first column alone is the title of the rows below it.
  while (count > 1) {
    const last = lines[count - 1]
    if (last !== undefined && last.filled.length === 1 && last.filled[0] === 0 && !last.spans && !numeric.has(0))
      count--
    else break
  }
  return count
}

/** How many of the first rows have no numbers in columns of numbers, or 1. */
export const headBlocks = (rows: ReadonlyArray<ReadonlyArray<TableLine>>, columns: Columns): number => {
  const numeric = numericColumns(rows.flat(), columns)
  const count = rows.findIndex((lines) => !lines.every((line) => isHeadLine(line, numeric, columns)))
  return Math.max(1, Math.min(count, 3))
}

const mostHeadLines = 12

/** How many of the first lines are the head, where rulings divide them: it ends with a band, or at the first numbers. */
export const headOfBands = (bands: ReadonlyArray<ReadonlyArray<TableLine>>, columns: Columns): number => {
  const lines = bands.flat()
  const numeric = numericColumns(lines, columns)
  const first = bands[0]?.length ?? 0
  if (numeric.size === 0) return first
  let count = 0
  for (const [index, band] of bands.entries()) {
    const numbers = band.findIndex((line) => !isHeadLine(line, numeric, columns))
    // The title of a group of rows.
    if (index > 0 && band.length === 1 && band[0]?.filled.length === 1) break
    if (numbers >= 0) return index === 0 && numbers === 0 ? 0 : count + (index === 0 ? numbers : 0)
    count += band.length
  }
  return count >= lines.length || count > mostHeadLines ? Math.min(first, lines.length - 1) : count
}
