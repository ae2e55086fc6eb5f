// Which lines of text are one row of a table: cells may have several lines.
import { rowsByBlocks } from "./CellBlocks.ts"
import type { Columns } from "./Columns.ts"
import type { TextRow } from "./Rows.ts"
import { isNumeric } from "./Rows.ts"

/** A line of text and the columns in which it has text. */
export interface Line {
  readonly row: TextRow
  /** Ascending. */
  readonly filled: ReadonlyArray<number>
  /** Some of it lies across columns. */
  readonly spans: boolean
}

/** The lines of the head, and of the rows below it: those that are one row each. */
export interface RowGroups {
  readonly head: ReadonlyArray<Line>
  readonly rows: ReadonlyArray<ReadonlyArray<Line>>
}

/** Which columns a piece reaches into: at least the nearest. */
export const columnsOf = (
  left: number,
  right: number,
  { columns }: Pick<Columns, "columns">,
  slack: number
): ReadonlyArray<number> => {
  const found: Array<number> = []
  let nearest = 0
  let distance = Infinity
  for (const [index, column] of columns.entries()) {
    const common = Math.min(right, column.right) - Math.max(left, column.left)
    if (common > Math.min(slack, 0.5 * (column.right - column.left))) found.push(index)
    if (-common < distance) {
      distance = -common
      nearest = index
    }
  }
  return found.length > 0 ? found : [nearest]
}

export const toLines = (rows: ReadonlyArray<TextRow>, columns: Columns, em: number): ReadonlyArray<Line> =>
  rows.map((row) => {
    const filled = new Set<number>()
    for (const piece of row.pieces)
      for (const column of columnsOf(piece.left, piece.right, columns, 0.3 * em)) filled.add(column)
    return {
      row,
      filled: [...filled].sort((one, other) => one - other),
      spans: row.pieces.some((piece) => columns.spanning.has(piece))
    }
  })

const pieceIn = (line: Line, column: number, columns: Columns): string =>
  line.row.pieces
    .filter((piece) => {
      const { left, right } = columns.columns[column] ?? { left: 0, right: 0 }
      return Math.min(piece.right, right) - Math.max(piece.left, left) > 0
    })
    .map(({ text }) => text)
    .join(" ")

/** Columns of numbers, by the lines below the first few. */
const numericColumns = (lines: ReadonlyArray<Line>, columns: Columns): ReadonlySet<number> => {
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

const isHeadLine = (line: Line, numeric: ReadonlySet<number>, columns: Columns): boolean => {
  const own = line.filled.filter((column) => numeric.has(column))
  const numbers = own.filter((column) => {
    const text = pieceIn(line, column, columns)
    // A year or a number in brackets heads a column as words do.
    return isNumeric(text) && !/^\(?(19|20)\d\d\)?[*†]?$|^\(\w{1,3}\)$/.test(text.trim())
  })
  return numbers.length === 0
}

/** How many of the first lines are the head, without any rulings to tell it. */
const headLines = (lines: ReadonlyArray<Line>, columns: Columns): number => {
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

const startsLower = (text: string): boolean => /^[\p{Ll}(&)]/u.test(text.trim())
const endsOpen = (text: string): boolean =>
  /([-–,/&(]|\b(and|or|of|the|in|for|with|to|by|on|at|und|der|de|et|y))$/iu.test(text.trim())

/** Whether the text in a column fills most of it, so that it may go on in the next line. */
const isFull = (line: Line, column: number, { columns }: Columns, share = 0.6): boolean => {
  const { left, right } = columns[column] ?? { left: 0, right: 0 }
  const end = Math.max(...line.row.pieces.filter((piece) => piece.left < right).map((piece) => piece.right))
  return end - left > share * (right - left)
}

/** Whether a line that is not a whole row goes on with the row above: `true`, with that below: `false`, or neither. */
const belongsAbove = (
  lines: ReadonlyArray<Line>,
  index: number,
  columns: Columns,
  isAnchor: (line: Line) => boolean
): boolean | undefined => {
  const [above, line, below] = [lines[index - 1], lines[index], lines[index + 1]]
  if (line === undefined) return undefined
  const first = line.filled[0] ?? 0
  const text = pieceIn(line, first, columns)
  const gapAbove = above === undefined ? Infinity : line.row.baseline - above.row.baseline
  const gapBelow = below === undefined ? Infinity : below.row.baseline - line.row.baseline
  const hasTextAbove = above !== undefined && line.filled.every((column) => above.filled.includes(column))
  if (
    above !== undefined &&
    gapAbove < 0.8 * gapBelow &&
    gapAbove < 1.6 * line.row.size &&
    (first > 0 || (hasTextAbove && isFull(above, first, columns)))
  )
    return true
  if (above !== undefined && gapAbove < 1.7 * line.row.size && hasTextAbove) {
    if (startsLower(text) || endsOpen(pieceIn(above, first, columns))) return true
  }
  if (below !== undefined && gapBelow < 0.8 * gapAbove && gapBelow < 1.6 * line.row.size && !isAnchor(line)) {
    if (first > 0 || !below.filled.includes(first) || isFull(line, first, columns, 0.85)) return false
  }
  if (below !== undefined && gapBelow < 1.7 * line.row.size && below.filled.includes(first)) {
    const next = pieceIn(below, first, columns)
    if (startsLower(next) || endsOpen(text)) return false
  }
  if (first > 0 && above !== undefined && gapAbove < 1.7 * line.row.size && gapAbove <= 1.05 * gapBelow) return true
  return undefined
}

/** Rows of a stretch without rulings. */
const splitLines = (lines: ReadonlyArray<Line>, columns: Columns): ReadonlyArray<ReadonlyArray<Line>> => {
  const blocks = rowsByBlocks(lines, columns)
  if (blocks !== undefined) return blocks
  const most = Math.max(...lines.map(({ filled, spans }) => (spans ? 0 : filled.length)))
  const least = Math.max(2, Math.ceil(0.5 * most))
  const isAnchor = (line: Line): boolean => line.filled.length >= least
  const groups: Array<Array<Line>> = []
  let opensNext = false
  for (const [index, line] of lines.entries()) {
    const group = groups.at(-1)
    const where = isAnchor(line) || line.spans ? undefined : belongsAbove(lines, index, columns, isAnchor)
    if (group !== undefined && (opensNext || where === true)) group.push(line)
    else groups.push([line])
    opensNext = where === false
  }
  return groups
}

/** How many of the first rows have no numbers in columns of numbers, or 1. */
const headBlocks = (rows: ReadonlyArray<ReadonlyArray<Line>>, columns: Columns): number => {
  const numeric = numericColumns(rows.flat(), columns)
  const count = rows.findIndex((lines) => !lines.every((line) => isHeadLine(line, numeric, columns)))
  return Math.max(1, Math.min(count, 3))
}

/**
 * `breaks` are the heights of rulings across the table, ascending: none of its rows crosses one. `isRuled` tells that every
 * row ends in one.
 */
export const toRowGroups = (lines: ReadonlyArray<Line>, columns: Columns, breaks: ReadonlyArray<number>): RowGroups => {
  const bands: Array<Array<Line>> = []
  let at = 0
  let isNew = true
  for (const line of lines) {
    const middle = line.row.baseline - 0.3 * line.row.size
    while (at < breaks.length && (breaks[at] ?? 0) < middle) {
      at++
      isNew = true
    }
    const band = bands.at(-1)
    if (band === undefined || isNew) bands.push([line])
    else band.push(line)
    isNew = false
  }
  const first = bands[0]
  if (first === undefined) return { head: [], rows: [] }
  if (bands.length === 1) {
    const blocks = rowsByBlocks(first, columns)
    if (blocks !== undefined) {
      const count = headBlocks(blocks, columns)
      return { head: blocks.slice(0, count).flat(), rows: blocks.slice(count) }
    }
  }
  const count = bands.length === 1 ? headLines(first, columns) : headOfBands(bands, columns)
  let left = count
  const rows: Array<ReadonlyArray<Line>> = []
  for (const band of bands) {
    const own = band.slice(left)
    left = Math.max(0, left - band.length)
    if (own.length > 0) rows.push(...splitBand(own, columns, bands.length, lines.length))
  }
  return { head: lines.slice(0, count), rows }
}

const mostHeadLines = 12

/** How many of the first lines are the head, where rulings divide them: it ends with a band, or at the first numbers. */
const headOfBands = (bands: ReadonlyArray<ReadonlyArray<Line>>, columns: Columns): number => {
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

/** Where most rows end in a ruling, a band is a row, unless each of its lines is filled in most columns. */
const splitBand = (
  band: ReadonlyArray<Line>,
  columns: Columns,
  bands: number,
  lines: number
): ReadonlyArray<ReadonlyArray<Line>> => {
  if (band.length === 1) return [band]
  const most = Math.max(...band.map(({ filled }) => filled.length))
  const full = band.filter(({ filled }) => filled.length >= Math.max(2, 0.7 * most)).length
  if (bands >= 4 && bands >= 0.4 * lines && full < 0.75 * band.length) return [band]
  return splitLines(band, columns)
}
