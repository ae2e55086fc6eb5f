// Lattices that are coarser than the table: columns and rows without lines between them.
import type { Segment } from "../../Segments.ts"
import type { Column, Columns } from "../aligned/Columns.ts"
import { bordersOf, findColumns } from "../aligned/Columns.ts"
import { toTableLines } from "../aligned/TableLine.ts"
import type { TextRow } from "../Rows.ts"
import { isNumeric, toRows } from "../Rows.ts"
import type { Lattice } from "./Lattice.ts"

export const strip = (lattice: Lattice, column: number): Column => ({
  left: lattice.xs[column] ?? 0,
  right: lattice.xs[column + 1] ?? 0
})

/** The gaps of justified lines are many, and agree by chance only in few lines. */
const mostColumnsOfTwoLines = 3

/** Borders within a strip whose lines of text have the same gaps. */
export const bordersWithin = (
  { left, right }: Column,
  pieces: ReadonlyArray<Segment>,
  em: number
): ReadonlyArray<number> => {
  const own = pieces.filter(
    (piece) =>
      (piece.left + piece.right) / 2 > left &&
      (piece.left + piece.right) / 2 < right &&
      piece.left > left - em &&
      piece.right < right + em
  )
  const rows = toRows(own)
  const several = rows.filter((row) =>
    row.pieces.some((piece, index) => piece.left - (row.pieces[index - 1]?.right ?? Infinity) > 0.8 * em)
  )
  if (several.length < 2 || several.length < 0.5 * rows.length) return []
  const { columns } = findColumns(rows, em)
  if (columns.length < 2 || columns.length > (several.length === 2 ? mostColumnsOfTwoLines : 30)) return []
  return bordersOf(columns)
}

/** With more rulings across the table, every row ends in one. */
const mostBands = 3

/** Whether the lines of a band are rows, and not the lines of its cells. */
export const linesAreRows = (rows: ReadonlyArray<TextRow>, strips: Columns, em: number, bands: number): boolean => {
  const lines = toTableLines(rows, strips, em)
  const most = Math.max(0, ...lines.map(({ filled }) => filled.length))
  const full = lines.filter(({ filled }) => filled.length >= Math.max(2, 0.6 * most))
  if (full.length < 3 || full.length < 0.6 * lines.length) return false
  let numeric = 0
  let short = 0
  for (const { left, right } of strips.columns) {
    const own = full.flatMap(({ row }) =>
      row.pieces.filter((piece) => piece.left > left - em && piece.right < right + em)
    )
    if (own.length < 0.5 * full.length) continue
    if (own.filter(({ text }) => isNumeric(text)).length >= 0.7 * own.length) numeric++
    if (own.filter((piece) => piece.right - piece.left < 0.7 * (right - left)).length >= 0.7 * own.length) short++
  }
  return numeric > 0 || (bands <= mostBands && short >= strips.columns.length)
}

/** The lattice with further borders of columns. */
export const refined = (lattice: Lattice, borders: ReadonlyArray<number>): Lattice => {
  if (borders.length === 0) return lattice
  const xs = [...lattice.xs, ...borders].sort((one, other) => one - other)
  const to = new Map(lattice.xs.map((x) => [x, xs.indexOf(x)]))
  const at = (column: number): number => to.get(lattice.xs[column] ?? 0) ?? 0
  const spans = lattice.spans.map((span) => ({
    ...span,
    column: at(span.column),
    columns: at(span.column + span.columns) - at(span.column)
  }))
  return { xs, ys: lattice.ys, spans }
}
