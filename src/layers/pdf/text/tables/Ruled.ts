// Tables whose cells are drawn: what stands in the cells of a lattice.
import type { Segment } from "../Segments.ts"
import { assemble, readingOrder } from "./Assembly.ts"
import type { Column, Columns } from "./Columns.ts"
import { findColumns } from "./Columns.ts"
import { bottomOf, middleOf, topOf } from "./Measures.ts"
import type { FoundCell, FoundTable } from "./FoundTable.ts"
import type { Lattice } from "./Lattice.ts"
import { extentOfLattice } from "./Lattice.ts"
import { cutSegment } from "./Pieces.ts"
import { toLines, toRowGroups } from "./RowGroups.ts"
import type { Ruling } from "./Rulings.ts"
import type { TextRow } from "./Rows.ts"
import { isNumeric, toRows, usualSize } from "./Rows.ts"

const indexAt = (places: ReadonlyArray<number>, value: number): number => {
  let [from, until] = [0, places.length - 1]
  while (from < until) {
    const middle = (from + until + 1) >> 1
    if ((places[middle] ?? 0) <= value) from = middle
    else until = middle - 1
  }
  return Math.min(from, places.length - 2)
}

const slack = 2

export const isInside = (segment: Segment, { left, right, top, bottom }: ReturnType<typeof extentOfLattice>): boolean => {
  const centre = (segment.left + segment.right) / 2
  const middle = middleOf(segment)
  return centre > left - slack && centre < right + slack && middle > top - slack && middle < bottom + slack
}

const straddles = ({ baseline, size }: Segment, ys: ReadonlyArray<number>): boolean =>
  ys.some((y) => y > baseline - 0.6 * size && y < baseline - 0.1 * size)

const strip = (lattice: Lattice, column: number): Column => ({ left: lattice.xs[column] ?? 0, right: lattice.xs[column + 1] ?? 0 })

/** The gaps of justified lines are many, and agree by chance only in few lines. */
const mostColumnsOfTwoLines = 3

/** Borders within a strip whose lines of text have the same gaps. */
const bordersWithin = ({ left, right }: Column, pieces: ReadonlyArray<Segment>, em: number): ReadonlyArray<number> => {
  const own = pieces.filter((piece) => (piece.left + piece.right) / 2 > left && (piece.left + piece.right) / 2 < right && piece.left > left - em && piece.right < right + em)
  const rows = toRows(own)
  const several = rows.filter((row) => row.pieces.some((piece, index) => piece.left - (row.pieces[index - 1]?.right ?? Infinity) > 0.8 * em))
  if (several.length < 2 || several.length < 0.5 * rows.length) return []
  const { columns } = findColumns(rows, em)
  if (columns.length < 2 || columns.length > (several.length === 2 ? mostColumnsOfTwoLines : 30)) return []
  return columns.slice(1).map((column, index) => ((columns[index]?.right ?? 0) + column.left) / 2)
}

/** With more rulings across the table, every row ends in one. */
const mostBands = 3

/** Whether the lines of a band are rows, and not the lines of its cells. */
const linesAreRows = (rows: ReadonlyArray<TextRow>, strips: Columns, em: number, bands: number): boolean => {
  const lines = toLines(rows, strips, em)
  const most = Math.max(0, ...lines.map(({ filled }) => filled.length))
  const full = lines.filter(({ filled }) => filled.length >= Math.max(2, 0.6 * most))
  if (full.length < 3 || full.length < 0.6 * lines.length) return false
  let numeric = 0
  let short = 0
  for (const { left, right } of strips.columns) {
    const own = full.flatMap(({ row }) => row.pieces.filter((piece) => piece.left > left - em && piece.right < right + em))
    if (own.length < 0.5 * full.length) continue
    if (own.filter(({ text }) => isNumeric(text)).length >= 0.7 * own.length) numeric++
    if (own.filter((piece) => piece.right - piece.left < 0.7 * (right - left)).length >= 0.7 * own.length) short++
  }
  return numeric > 0 || (bands <= mostBands && short >= strips.columns.length)
}

const bandOf = (lattice: Lattice, pieces: ReadonlyArray<Segment>, row: number): ReadonlyArray<Segment> => {
  const [top, bottom] = [lattice.ys[row] ?? 0, lattice.ys[row + 1] ?? 0]
  return pieces.filter((piece) => middleOf(piece) >= top && middleOf(piece) < bottom)
}

const refined = (lattice: Lattice, borders: ReadonlyArray<number>): Lattice => {
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

const fewestLevelRows = 4

/**
 * Cells without lines between them are one only by the drawing, if in each of several rows they have text on the height of the
 * text beside it.
 */
const divided = (lattice: Lattice, pieces: ReadonlyArray<Segment>): Lattice => {
  const tall = lattice.spans.filter(({ rows }) => rows >= fewestLevelRows)
  if (tall.length === 0) return lattice
  const { xs, ys } = lattice
  const spans = lattice.spans.flatMap((span) => {
    if (span.rows < fewestLevelRows) return [span]
    const [left, right] = [xs[span.column] ?? 0, xs[span.column + span.columns] ?? 0]
    const isOwn = (piece: Segment): boolean => (piece.left + piece.right) / 2 > left && (piece.left + piece.right) / 2 < right
    for (let row = span.row; row < span.row + span.rows; row++) {
      const [own, others] = [bandOf(lattice, pieces, row).filter(isOwn), bandOf(lattice, pieces, row).filter((piece) => !isOwn(piece))]
      if (own.length === 0 || !own.some((one) => others.some((other) => Math.abs(one.baseline - other.baseline) < 0.2 * one.size))) return [span]
    }
    return Array.from({ length: span.rows }, (_, index) => ({ ...span, row: span.row + index, rows: 1 }))
  })
  return { xs, ys, spans }
}

/** The columns of a wide cell in whose lines the text of several columns stands apart. */
const spread = ({ xs, ys, spans }: Lattice, pieces: ReadonlyArray<Segment>): Lattice => ({
  xs,
  ys,
  spans: spans.flatMap((span) => {
    if (span.columns === 1) return [span]
    const [left, right] = [xs[span.column] ?? 0, xs[span.column + span.columns] ?? 0]
    const [top, bottom] = [ys[span.row] ?? 0, ys[span.row + span.rows] ?? 0]
    const own = pieces.filter((piece) => {
      const [centre, middle] = [(piece.left + piece.right) / 2, middleOf(piece)]
      return centre > left && centre < right && middle > top && middle < bottom
    })
    const inner = xs.filter((x) => x > left && x < right)
    const isApart =
      own.length > 1 &&
      own.every((piece) => inner.every((x) => x < piece.left + 0.8 * piece.size || x > piece.right - 0.8 * piece.size)) &&
      toRows(own).every((row) => new Set(row.pieces.map((piece) => indexAt(xs, (piece.left + piece.right) / 2))).size > 1)
    if (!isApart) return [span]
    return Array.from({ length: span.columns }, (_, index) => ({ ...span, column: span.column + index, columns: 1 }))
  })
})

const toCells = (lattice: Lattice, pieces: ReadonlyArray<Segment>): ReadonlyArray<FoundCell> => {
  const { xs, ys, spans } = lattice
  const columns = xs.length - 1
  const owners = new Int32Array(columns * (ys.length - 1))
  for (const [index, span] of spans.entries()) {
    for (let row = span.row; row < span.row + span.rows; row++) {
      owners.fill(index, row * columns + span.column, row * columns + span.column + span.columns)
    }
  }
  const contents = new Map<number, Array<Segment>>()
  for (const piece of pieces) {
    const owner = owners[indexAt(ys, middleOf(piece)) * columns + indexAt(xs, (piece.left + piece.right) / 2)] ?? 0
    const known = contents.get(owner)
    if (known === undefined) contents.set(owner, [piece])
    else known.push(piece)
  }
  return [...contents]
    .flatMap(([owner, segments]) => {
      const span = spans[owner]
      if (span === undefined) return []
      const box = {
        left: xs[span.column] ?? 0,
        right: xs[span.column + span.columns] ?? 0,
        top: ys[span.row] ?? 0,
        bottom: ys[span.row + span.rows] ?? 0
      }
      return [{ ...span, box, segments: readingOrder(segments) }]
    })
    .sort((one, other) => one.row - other.row || one.column - other.column)
}

// In points. What is narrower is the space between two lines.
const lowestRow = 6
const narrowestColumn = 6

/** Without the rows and columns that no cell begins in, and those between two lines that are drawn as one. */
const compact = ({ spans, xs, ys }: Lattice, cells: ReadonlyArray<FoundCell>) => {
  const [rows, columns] = [ys.length - 1, xs.length - 1]
  const usedRows = new Set(cells.map(({ row }) => row))
  const usedColumns = new Set(cells.map(({ column }) => column))
  for (const { row, column } of spans) {
    if ((ys[row + 1] ?? 0) - (ys[row] ?? 0) >= lowestRow) usedRows.add(row)
    if ((xs[column + 1] ?? 0) - (xs[column] ?? 0) >= narrowestColumn) usedColumns.add(column)
  }
  const rowAt: Array<number> = []
  const columnAt: Array<number> = []
  for (let row = 0, next = 0; row <= rows; row++) rowAt.push(usedRows.has(row) ? next++ : next)
  for (let column = 0, next = 0; column <= columns; column++) columnAt.push(usedColumns.has(column) ? next++ : next)
  return {
    rows: rowAt[rows] ?? 0,
    columns: columnAt[columns] ?? 0,
    cells: cells.map((cell) => {
      const [row, column] = [rowAt[cell.row] ?? 0, columnAt[cell.column] ?? 0]
      return {
        ...cell,
        row,
        column,
        rows: Math.max(1, (rowAt[cell.row + cell.rows] ?? 0) - row),
        columns: Math.max(1, (columnAt[cell.column + cell.columns] ?? 0) - column)
      }
    })
  }
}

const slotsOf = ({ spans, xs, ys }: Lattice): number =>
  spans.filter(
    ({ row, rows, column, columns }) =>
      (ys[row + rows] ?? 0) - (ys[row] ?? 0) >= lowestRow && (xs[column + columns] ?? 0) - (xs[column] ?? 0) >= narrowestColumn
  ).length

const headerRowsOf = (cells: ReadonlyArray<FoundCell>, rows: number): number => {
  const first = cells.filter(({ row }) => row === 0)
  const count = Math.max(1, ...first.map((cell) => cell.rows))
  return count < rows ? count : 0
}

export const toRuledTable = (lattice: Lattice, segments: ReadonlyArray<Segment>, rulings: ReadonlyArray<Ruling>): FoundTable | undefined => {
  const box = extentOfLattice(lattice)
  const taken = segments.filter((segment) => isInside(segment, box))
  if (taken.length < 2) return undefined
  // The labels of a drawing stand on its lines.
  if (taken.filter((segment) => straddles(segment, lattice.ys)).length > 0.25 * taken.length) return undefined
  const em = usualSize(toRows(taken))
  let pieces = taken.flatMap((segment) => cutSegment(segment, lattice.xs))
  const borders = lattice.xs.slice(1).flatMap((_, column) => bordersWithin(strip(lattice, column), pieces, em))
  const own = refined(lattice, borders)
  if (borders.length > 0) pieces = taken.flatMap((segment) => cutSegment(segment, own.xs))
  const strips: Columns = { columns: own.xs.slice(1).map((_, column) => strip(own, column)), spanning: new Set() }
  const isCoarse = own.ys.slice(1).some((_, row) => linesAreRows(toRows(bandOf(own, pieces, row)), strips, em, own.ys.length - 1))
  const table = isCoarse ? coarse(own, pieces, em, rulings) : whole(own, pieces)
  return table === undefined ? undefined : { ...table, taken }
}

const whole = (lattice: Lattice, pieces: ReadonlyArray<Segment>): FoundTable | undefined => {
  const own = spread(divided(lattice, pieces), pieces)
  const found = compact(own, toCells(own, pieces))
  if (found.rows * found.columns < 2 || found.cells.length < 2) return undefined
  return { box: extentOfLattice(lattice), ...found, headerRows: headerRowsOf(found.cells, found.rows), slots: slotsOf(own), taken: [] }
}

const coarse = (lattice: Lattice, pieces: ReadonlyArray<Segment>, em: number, rulings: ReadonlyArray<Ruling>): FoundTable | undefined => {
  const spanning = new Set(
    pieces.filter(({ left, right }) => lattice.xs.some((x) => x > left + 0.3 * em && x < right - 0.3 * em))
  )
  const columns: Columns = { columns: lattice.xs.slice(1).map((_, column) => strip(lattice, column)), spanning }
  const lines = toLines(toRows(pieces), columns, em)
  const groups = toRowGroups(lines, columns, lattice.ys.slice(1, -1))
  if (groups.rows.length === 0) return undefined
  return assemble(groups, columns, extentOfLattice(lattice), em, rulings)
}

export const heightOf = (segment: Segment): number => bottomOf(segment) - topOf(segment)
