// The head of a table: cells that lie across columns above cells that lie above one, of any depth.
import type { Segment } from "../../Segments.ts"
import type { Columns } from "./Columns.ts"
import type { TableLine } from "./TableLine.ts"
import { columnsOf } from "./TableLine.ts"
import type { Ruling } from "../Rulings.ts"

/** A cell of the head; rows are counted from the first of the table. */
export interface HeadCell {
  row: number
  rows: number
  readonly from: number
  readonly to: number
  readonly segments: Array<Segment>
}

export interface Head {
  readonly rows: number
  readonly cells: ReadonlyArray<HeadCell>
}

interface Piece {
  readonly segment: Segment
  readonly line: number
  from: number
  to: number
}

// In parts of the font size.
const farthestRuling = 1.7
const offCentre = 0.7

/** Every stretch of columns is tried. */
const mostCentred = 40

const centreOf = ({ left, right }: { readonly left: number; readonly right: number }): number => (left + right) / 2

const isAbove = ({ baseline, left, right, size }: Segment, { from, position, to }: Ruling): boolean => {
  const distance = position - baseline
  const centre = (left + right) / 2
  return distance >= -0.1 * size && distance <= farthestRuling * size && centre > from && centre < to
}

/** The columns over which the ruling under a piece reaches, if it is under nothing else. */
const underlined = (
  piece: Piece,
  pieces: ReadonlyArray<Piece>,
  { columns }: Columns,
  rulings: ReadonlyArray<Ruling>
): readonly [number, number] | undefined => {
  const { left, right, size } = piece.segment
  for (const ruling of rulings) {
    if (!isAbove(piece.segment, ruling) || ruling.from > left + size || ruling.to < right - size) continue
    const isBeside = ({ segment }: Piece): boolean => segment.left > right || segment.right < left
    if (pieces.some((other) => isBeside(other) && isAbove(other.segment, ruling))) continue
    const own = columns.flatMap((column, index) =>
      centreOf(column) > ruling.from && centreOf(column) < ruling.to ? [index] : []
    )
    const [from, to] = [own[0], own.at(-1)]
    if (from !== undefined && to !== undefined && from <= piece.from && to >= piece.to && to > from) return [from, to]
  }
  return undefined
}

/** The widest stretch of free columns in whose middle the piece stands, if each of them has a cell of its own below. */
const centred = (
  piece: Piece,
  pieces: ReadonlyArray<Piece>,
  { columns }: Columns
): readonly [number, number] | undefined => {
  if (columns.length > mostCentred) return undefined
  const mates = pieces.filter((other) => other !== piece && other.line === piece.line)
  const headed = new Set(
    pieces.flatMap((other) => (other.line > piece.line && other.from === other.to ? [other.from] : []))
  )
  const isFree = (column: number): boolean =>
    column > 0 && headed.has(column) && mates.every((mate) => column < mate.from || column > mate.to)
  const centre = centreOf(piece.segment)
  let best: readonly [number, number] | undefined
  for (let from = piece.from; from >= 0 && (from === piece.from || isFree(from)); from--) {
    for (let to = piece.to; to < columns.length && (to === piece.to || isFree(to)); to++) {
      const [first, last] = [columns[from], columns[to]]
      if (to === from || !isFree(from) || !isFree(to) || first === undefined || last === undefined) continue
      const distance = Math.abs((first.left + last.right) / 2 - centre)
      const wider = best === undefined || to - from > best[1] - best[0]
      if (wider && distance <= Math.max(offCentre * piece.segment.size, 0.05 * (last.right - first.left)))
        best = [from, to]
    }
  }
  return best
}

const isDivided = (above: Segment, below: Segment, rulings: ReadonlyArray<Ruling>): boolean =>
  rulings.some(
    ({ from, position, to }) =>
      position > above.baseline - 0.1 * above.size &&
      position < below.baseline - 0.5 * below.size &&
      from < centreOf(below) &&
      to > centreOf(below)
  )

/** `rulings` are the horizontal ones. */
export const toHead = (lines: ReadonlyArray<TableLine>, columns: Columns, rulings: ReadonlyArray<Ruling>): Head => {
  const pieces = lines.flatMap(({ row }, line) =>
    row.pieces.map((segment): Piece => {
      const own = columnsOf(segment.left, segment.right, columns, 0.3 * segment.size)
      return { segment, line, from: own[0] ?? 0, to: own.at(-1) ?? 0 }
    })
  )
  for (const piece of pieces) {
    const range = underlined(piece, pieces, columns, rulings) ?? centred(piece, pieces, columns)
    if (range !== undefined) [piece.from, piece.to] = range
  }
  const cells: Array<HeadCell> = []
  const lowest = Array.from({ length: columns.columns.length }, (): HeadCell | undefined => undefined)
  for (const { from, segment, to } of pieces) {
    const above = lowest[from]
    const last = above?.segments.at(-1)
    const isSame = above !== undefined && above.from === from && above.to === to
    if (isSame && last !== undefined && !isDivided(last, segment, rulings)) {
      above.segments.push(segment)
      continue
    }
    let row = 0
    for (let column = from; column <= to; column++) row = Math.max(row, (lowest[column]?.row ?? -1) + 1)
    const cell: HeadCell = { row, rows: 1, from, to, segments: [segment] }
    for (let column = from; column <= to; column++) lowest[column] = cell
    cells.push(cell)
  }
  const rows = 1 + Math.max(0, ...cells.map(({ row }) => row))
  // A cell with nothing below it reaches to the end of the head.
  for (const cell of cells) {
    const isLowest = lowest.slice(cell.from, cell.to + 1).every((other) => other === cell)
    if (isLowest) cell.rows = rows - cell.row
  }
  return { rows, cells }
}
