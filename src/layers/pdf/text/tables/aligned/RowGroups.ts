// Which lines of text are one row of a table: cells may have several lines.
import { rowsByBlocks } from "./CellBlocks.ts"
import type { Columns } from "./Columns.ts"
import { headBlocks, headLines, headOfBands } from "./HeadLines.ts"
import type { TableLine } from "./TableLine.ts"
import { pieceIn } from "./TableLine.ts"

/** The lines of the head, and of the rows below it: those that are one row each. */
export interface RowGroups {
  readonly head: ReadonlyArray<TableLine>
  readonly rows: ReadonlyArray<ReadonlyArray<TableLine>>
}

const startsLower = (text: string): boolean => /^[\p{Ll}(&)]/u.test(text.trim())
const endsOpen = (text: string): boolean =>
  /([-–,/&(]|\b(and|or|of|the|in|for|with|to|by|on|at|und|der|de|et|y))$/iu.test(text.trim())

/** Whether the text in a column fills most of it, so that it may go on in the next line. */
const isFull = (line: TableLine, column: number, { columns }: Columns, share = 0.6): boolean => {
  const { left, right } = columns[column] ?? { left: 0, right: 0 }
  const end = Math.max(...line.row.pieces.filter((piece) => piece.left < right).map((piece) => piece.right))
  return end - left > share * (right - left)
}

/** Whether a line that is not a whole row goes on with the row above: `true`, with that below: `false`, or neither. */
const belongsAbove = (
  lines: ReadonlyArray<TableLine>,
  index: number,
  columns: Columns,
  isAnchor: (line: TableLine) => boolean
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
const splitLines = (lines: ReadonlyArray<TableLine>, columns: Columns): ReadonlyArray<ReadonlyArray<TableLine>> => {
  const blocks = rowsByBlocks(lines, columns)
  if (blocks !== undefined) return blocks
  const most = Math.max(...lines.map(({ filled, spans }) => (spans ? 0 : filled.length)))
  const least = Math.max(2, Math.ceil(0.5 * most))
  const isAnchor = (line: TableLine): boolean => line.filled.length >= least
  const groups: Array<Array<TableLine>> = []
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

/**
 * `breaks` are the heights of rulings across the table, ascending: none of its rows crosses one. `isRuled` tells that every
 * row ends in one.
 */
export const toRowGroups = (
  lines: ReadonlyArray<TableLine>,
  columns: Columns,
  breaks: ReadonlyArray<number>
): RowGroups => {
  const bands: Array<Array<TableLine>> = []
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
  const rows: Array<ReadonlyArray<TableLine>> = []
  for (const band of bands) {
    const own = band.slice(left)
    left = Math.max(0, left - band.length)
    if (own.length > 0) rows.push(...splitBand(own, columns, bands.length, lines.length))
  }
  return { head: lines.slice(0, count), rows }
}

/** Where most rows end in a ruling, a band is a row, unless each of its lines is filled in most columns. */
const splitBand = (
  band: ReadonlyArray<TableLine>,
  columns: Columns,
  bands: number,
  lines: number
): ReadonlyArray<ReadonlyArray<TableLine>> => {
  if (band.length === 1) return [band]
  const most = Math.max(...band.map(({ filled }) => filled.length))
  const full = band.filter(({ filled }) => filled.length >= Math.max(2, 0.7 * most)).length
  if (bands >= 4 && bands >= 0.4 * lines && full < 0.75 * band.length) return [band]
  return splitLines(band, columns)
}
