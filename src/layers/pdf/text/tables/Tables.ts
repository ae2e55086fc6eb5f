// Finds the tables of a page among its segments. Ruled ones first: they are certain. Then those between horizontal
// rulings, and last those that only the places of their text show.
import type { Bounds } from "../Bounds.ts"
import type { Segment } from "../Segments.ts"
import type { FoundTable } from "./FoundTable.ts"
import { findGroundLattices } from "./ruled/Grounds.ts"
import { findHalfRuled } from "./aligned/HalfRuled.ts"
import { hasBars } from "./ruled/Bars.ts"
import type { Lattice } from "./ruled/Lattice.ts"
import { extentOfLattice, findLattices, mostLattices, withGrounds } from "./ruled/Lattice.ts"
import type { Kind } from "./Judgement.ts"
import { isTable } from "./Judgement.ts"
import { bottomOf, topOf } from "./Measures.ts"
import { hasWideGaps, toPieces } from "./Pieces.ts"
import { toRuledTable } from "./ruled/Ruled.ts"
import type { Rulings } from "./Rulings.ts"
import { fewestLines, findUnruled } from "./aligned/Unruled.ts"

export type { FoundCell, FoundTable } from "./FoundTable.ts"

export interface FoundTables {
  /** From top to bottom. No segment is in two of them. */
  readonly tables: ReadonlyArray<FoundTable>
  /** What is in no table. If a table has a part of a segment only, the other parts are segments of their own. */
  readonly rest: ReadonlyArray<Segment>
}

export const noTables = (segments: ReadonlyArray<Segment>): FoundTables => ({ tables: [], rest: segments })

/** A page with more is not searched. */
const mostSegments = 20_000

/**
 * Whether enough lines consist of several pieces: most pages of prose end here. A line is told twice, as segments come in the order
 * of the file, and by their heights.
 */
const mayHaveColumns = (segments: ReadonlyArray<Segment>): boolean => {
  let lines = 0
  let isOpen = false
  let last: Segment | undefined
  for (const segment of segments) {
    const isLevel = last !== undefined && Math.abs(last.baseline - segment.baseline) < 0.3 * segment.size
    if (!isLevel) isOpen = false
    if (!isOpen && (isLevel || hasWideGaps(segment))) {
      isOpen = true
      if (++lines >= fewestLines) return true
    }
    last = segment
  }
  const heights = Float64Array.from(segments, ({ baseline }) => baseline).sort()
  lines = 0
  isOpen = false
  for (let index = 1; index < heights.length; index++) {
    const isLevel = (heights[index] ?? 0) - (heights[index - 1] ?? 0) < 0.5
    if (isLevel && !isOpen && ++lines >= fewestLines) return true
    isOpen = isLevel
  }
  return false
}

// In points: how far from a drawing its labels stand.
const besideDrawing = 30

const withLabels = ({ left, right, top, bottom }: Bounds): Bounds => ({
  left: left - besideDrawing,
  right: right + besideDrawing,
  top: top - besideDrawing,
  bottom: bottom + besideDrawing
})

const isInside = (piece: Segment, { left, right, top, bottom }: Bounds): boolean =>
  piece.left > left && piece.right < right && topOf(piece) > top && bottomOf(piece) < bottom

/** Where most text is read from right to left, the first column is the one at the right. */
const inReadingOrder = (table: FoundTable): FoundTable => {
  const fromRight = table.taken.filter(({ rightToLeft }) => rightToLeft).length
  const fromLeft = table.taken.filter(({ rightToLeft, text }) => !rightToLeft && /\p{L}/u.test(text)).length
  if (fromRight <= fromLeft) return table
  const cells = table.cells.map((cell) => ({ ...cell, column: table.columns - cell.column - cell.columns }))
  return { ...table, cells: cells.sort((one, other) => one.row - other.row || one.column - other.column) }
}

const areaOf = (lattice: Lattice): number => {
  const { left, right, top, bottom } = extentOfLattice(lattice)
  return (right - left) * (bottom - top)
}

export const findTables = (segments: ReadonlyArray<Segment>, rulings: Rulings): FoundTables => {
  if (segments.length < 4 || segments.length > mostSegments) return noTables(segments)
  const { horizontals, areas } = rulings
  if (horizontals.length < 2 && areas.length < 2 && !mayHaveColumns(segments)) return noTables(segments)
  const pieces = toPieces(segments)
  const free = new Set(pieces.keys())
  const tables: Array<FoundTable> = []
  const keep = (table: FoundTable | undefined, kind: Kind): void => {
    if (table === undefined || !table.taken.every((piece) => free.has(piece)) || !isTable(table, kind)) return
    tables.push(inReadingOrder(table))
    for (const piece of table.taken) free.delete(piece)
  }
  // A frame around a table is no table: the inner lattice comes first.
  const lattices = findLattices(rulings).slice()
  const drawings: Array<Bounds> = []
  for (const lattice of lattices.sort((one, other) => areaOf(one) - areaOf(other)).slice(-mostLattices)) {
    if (hasBars(lattice, rulings.areas)) drawings.push(withLabels(extentOfLattice(lattice)))
    else keep(toRuledTable(withGrounds(lattice, rulings.areas), [...free], rulings.horizontals), "ruled")
  }
  const outside = (): ReadonlyArray<Segment> =>
    [...free].filter((piece) => !drawings.some((drawing) => isInside(piece, drawing)))
  for (const lattice of findGroundLattices(rulings.areas))
    keep(toRuledTable(lattice, outside(), rulings.horizontals), "ruled")
  for (const table of findHalfRuled(outside(), rulings)) keep(table, "half-ruled")
  for (const table of findUnruled(outside(), rulings)) keep(table, "unruled")
  if (tables.length === 0) return { tables, rest: segments }
  const touched = new Set<Segment>()
  for (const [piece, owners] of pieces) if (!free.has(piece)) for (const owner of owners) touched.add(owner)
  const rest = segments.filter((segment) => !touched.has(segment))
  for (const [piece, owners] of pieces)
    if (free.has(piece) && owners.some((owner) => touched.has(owner))) rest.push(piece)
  return { tables: tables.sort((one, other) => one.box.top - other.box.top || one.box.left - other.box.left), rest }
}
