// Tables whose cells are drawn: what stands in the cells of a lattice.
import type { Bounds } from "../../Bounds.ts"
import type { Segment } from "../../Segments.ts"
import { assemble } from "../aligned/Assembly.ts"
import type { Columns } from "../aligned/Columns.ts"
import { toRowGroups } from "../aligned/RowGroups.ts"
import { toTableLines } from "../aligned/TableLine.ts"
import type { FoundCell, FoundTable } from "../FoundTable.ts"
import { middleOf } from "../Measures.ts"
import { cutSegment } from "../Pieces.ts"
import { toRows, usualSize } from "../Rows.ts"
import type { Ruling } from "../Rulings.ts"
import { bordersOfRows, compact, divided, indexAt, slotsOf, spread, toBands, toCells } from "./Cells.ts"
import type { Lattice } from "./Lattice.ts"
import { extentOfLattice } from "./Lattice.ts"
import { withoutNotes } from "./Notes.ts"
import { bordersWithin, linesAreRows, refined, strip } from "./Refinement.ts"

// In points.
const slack = 2

const fewestRulings = 4
const mostParts = 3

const isInside = (segment: Segment, { left, right, top, bottom }: Bounds): boolean => {
  const centre = (segment.left + segment.right) / 2
  const middle = middleOf(segment)
  return centre > left - slack && centre < right + slack && middle > top - slack && middle < bottom + slack
}

const straddles = ({ baseline, size }: Segment, ys: ReadonlyArray<number>): boolean => {
  const bottom = baseline - 0.1 * size
  const index = indexAt(ys, bottom)
  return [ys[index], ys[index + 1]].some((y) => y !== undefined && y > baseline - 0.6 * size && y < bottom)
}

const headerRowsOf = (cells: ReadonlyArray<FoundCell>, rows: number): number => {
  const first = cells.filter(({ row }) => row === 0)
  const count = Math.max(1, ...first.map((cell) => cell.rows))
  return count < rows ? count : 0
}

export const toRuledTable = (
  lattice: Lattice,
  segments: ReadonlyArray<Segment>,
  rulings: ReadonlyArray<Ruling>
): FoundTable | undefined => {
  const box = extentOfLattice(lattice)
  const taken = segments.filter((segment) => isInside(segment, box))
  if (taken.length < 2) return undefined
  // The labels of a drawing stand on its lines.
  if (taken.filter((segment) => straddles(segment, lattice.ys)).length > 0.25 * taken.length) return undefined
  const em = usualSize(toRows(taken))
  const bordersAt = bordersOfRows(lattice)
  let pieces = taken.flatMap((segment) => cutSegment(segment, bordersAt(segment)))
  // The strokes of drawn letters cut every word.
  if (lattice.ys.length <= fewestRulings && pieces.length > mostParts * taken.length) return undefined
  const borders = lattice.xs.slice(1).flatMap((_, column) => bordersWithin(strip(lattice, column), pieces, em))
  const own = refined(lattice, borders)
  if (borders.length > 0) {
    pieces = taken.flatMap((segment) =>
      cutSegment(
        segment,
        [...bordersAt(segment), ...borders].sort((one, other) => one - other)
      )
    )
  }
  const strips: Columns = { columns: own.xs.slice(1).map((_, column) => strip(own, column)), spanning: new Set() }
  const isCoarse = toBands(own, pieces).some((band) => linesAreRows(toRows(band), strips, em, own.ys.length - 1))
  const table = isCoarse ? coarse(own, pieces, em, rulings) : whole(own, pieces)
  return table === undefined ? undefined : withoutNotes({ ...table, taken })
}

const whole = (lattice: Lattice, pieces: ReadonlyArray<Segment>): FoundTable | undefined => {
  const bands = toBands(lattice, pieces)
  const own = spread(divided(lattice, bands), bands)
  const found = compact(own, toCells(own, pieces))
  if (found.rows * found.columns < 2 || found.cells.length < 2) return undefined
  return {
    box: extentOfLattice(lattice),
    ...found,
    headerRows: headerRowsOf(found.cells, found.rows),
    slots: slotsOf(own),
    taken: []
  }
}

const coarse = (
  lattice: Lattice,
  pieces: ReadonlyArray<Segment>,
  em: number,
  rulings: ReadonlyArray<Ruling>
): FoundTable | undefined => {
  const spanning = new Set(
    pieces.filter(({ left, right }) => lattice.xs.some((x) => x > left + 0.3 * em && x < right - 0.3 * em))
  )
  const columns: Columns = { columns: lattice.xs.slice(1).map((_, column) => strip(lattice, column)), spanning }
  const lines = toTableLines(toRows(pieces), columns, em)
  const groups = toRowGroups(lines, columns, lattice.ys.slice(1, -1))
  if (groups.rows.length === 0) return undefined
  return assemble(groups, columns, extentOfLattice(lattice), em, rulings)
}
