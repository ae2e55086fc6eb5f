// What stands in the cells of a lattice, and which of its cells are one.
import type { Segment } from "../../Segments.ts"
import type { FoundCell } from "../FoundTable.ts"
import { middleOf } from "../Measures.ts"
import { toRows } from "../Rows.ts"
import { readingOrder } from "../Measures.ts"
import type { Lattice } from "./Lattice.ts"

export const indexAt = (places: ReadonlyArray<number>, value: number): number => {
  let [from, until] = [0, places.length - 1]
  while (from < until) {
    const middle = (from + until + 1) >> 1
    if ((places[middle] ?? 0) <= value) from = middle
    else until = middle - 1
  }
  return Math.min(from, places.length - 2)
}

/** For each row of the lattice the pieces in it. */
export type Bands = ReadonlyArray<ReadonlyArray<Segment>>

export const toBands = ({ ys }: Lattice, pieces: ReadonlyArray<Segment>): Bands => {
  const bands: Array<Array<Segment>> = ys.slice(1).map(() => [])
  for (const piece of pieces) bands[indexAt(ys, middleOf(piece))]?.push(piece)
  return bands
}

const fewestLevelRows = 4
const level = 0.2

/**
 * Cells without lines between them are one only by the drawing, if in each of several rows they have text on the height of the
 * text beside it.
 */
export const divided = (lattice: Lattice, bands: Bands): Lattice => {
  const { xs, ys } = lattice
  const spans = lattice.spans.flatMap((span) => {
    if (span.rows < fewestLevelRows) return [span]
    const [left, right] = [xs[span.column] ?? 0, xs[span.column + span.columns] ?? 0]
    const isOwn = (piece: Segment): boolean =>
      (piece.left + piece.right) / 2 > left && (piece.left + piece.right) / 2 < right
    const areLevel = bands.slice(span.row, span.row + span.rows).every((band) => {
      const own = band.find(isOwn)
      return (
        own !== undefined &&
        band.some((other) => !isOwn(other) && Math.abs(own.baseline - other.baseline) < level * own.size)
      )
    })
    if (!areLevel) return [span]
    return Array.from({ length: span.rows }, (_, index) => ({ ...span, row: span.row + index, rows: 1 }))
  })
  return { xs, ys, spans }
}

/** The columns of a wide cell in whose lines the text of several columns stands apart. */
export const spread = ({ xs, ys, spans }: Lattice, bands: Bands): Lattice => ({
  xs,
  ys,
  spans: spans.flatMap((span) => {
    if (span.columns === 1) return [span]
    const [left, right] = [xs[span.column] ?? 0, xs[span.column + span.columns] ?? 0]
    const own = bands
      .slice(span.row, span.row + span.rows)
      .flat()
      .filter((piece) => (piece.left + piece.right) / 2 > left && (piece.left + piece.right) / 2 < right)
    const inner = xs.filter((x) => x > left && x < right)
    const isApart =
      own.length > 1 &&
      own.every((piece) =>
        inner.every((x) => x < piece.left + 0.8 * piece.size || x > piece.right - 0.8 * piece.size)
      ) &&
      toRows(own).every(
        (row) => new Set(row.pieces.map((piece) => indexAt(xs, (piece.left + piece.right) / 2))).size > 1
      )
    if (!isApart) return [span]
    return Array.from({ length: span.columns }, (_, index) => ({ ...span, column: span.column + index, columns: 1 }))
  })
})

/** Between which columns a line is drawn in the row of a segment. */
export const bordersOfRows = ({ spans, xs, ys }: Lattice): ((segment: Segment) => ReadonlyArray<number>) => {
  const rows = ys.slice(1).map(() => new Set<number>())
  for (const span of spans) {
    for (let row = span.row; row < span.row + span.rows; row++) {
      rows[row]?.add(xs[span.column] ?? 0).add(xs[span.column + span.columns] ?? 0)
    }
  }
  const borders = rows.map((own) => [...own].sort((one, other) => one - other))
  return (segment) => borders[indexAt(ys, middleOf(segment))] ?? []
}

/** Which of the spans is at a place; outside of the lattice the nearest. */
export const ownersOf = ({ spans, xs, ys }: Lattice): ((x: number, y: number) => number) => {
  const columns = xs.length - 1
  const owners = new Int32Array(columns * (ys.length - 1))
  for (const [index, span] of spans.entries()) {
    for (let row = span.row; row < span.row + span.rows; row++) {
      owners.fill(index, row * columns + span.column, row * columns + span.column + span.columns)
    }
  }
  return (x, y) => owners[indexAt(ys, y) * columns + indexAt(xs, x)] ?? 0
}

export const toCells = (lattice: Lattice, pieces: ReadonlyArray<Segment>): ReadonlyArray<FoundCell> => {
  const { xs, ys, spans } = lattice
  const owners = ownersOf(lattice)
  const contents = new Map<number, Array<Segment>>()
  for (const piece of pieces) {
    const owner = owners((piece.left + piece.right) / 2, middleOf(piece))
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
export const compact = ({ spans, xs, ys }: Lattice, cells: ReadonlyArray<FoundCell>) => {
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

/** How many cells it has that are no space between two lines. */
export const slotsOf = ({ spans, xs, ys }: Lattice): number =>
  spans.filter(
    ({ row, rows, column, columns }) =>
      (ys[row + rows] ?? 0) - (ys[row] ?? 0) >= lowestRow &&
      (xs[column + columns] ?? 0) - (xs[column] ?? 0) >= narrowestColumn
  ).length
