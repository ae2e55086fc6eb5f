// Drawings with a grid behind them: their bars lie across its lines and end between them.
import type { Bounds } from "../../Bounds.ts"
import { ownersOf } from "./Cells.ts"
import type { Lattice } from "./Lattice.ts"
import { extentOfLattice } from "./Lattice.ts"

// In points.
const outside = 3
const near = 6

const fewest = 3

export const hasBars = (lattice: Lattice, areas: ReadonlyArray<Bounds>): boolean => {
  const { spans, xs, ys } = lattice
  const box = extentOfLattice(lattice)
  const ownerAt = ownersOf(lattice)
  let bars = 0
  for (const { left, right, top, bottom } of areas) {
    if (left < box.left - outside || right > box.right + outside) continue
    if (top < box.top - outside || bottom > box.bottom + outside) continue
    const [x, y] = [(left + right) / 2, (top + bottom) / 2]
    const [west, east] = [spans[ownerAt(left + near, y)], spans[ownerAt(right - near, y)]]
    const [north, south] = [spans[ownerAt(x, top + near)], spans[ownerAt(x, bottom - near)]]
    if (west === undefined || east === undefined || north === undefined || south === undefined) continue
    const endsInRow =
      west !== east && (left - (xs[west.column] ?? 0) > near || (xs[east.column + east.columns] ?? 0) - right > near)
    const endsInColumn =
      north !== south && (top - (ys[north.row] ?? 0) > near || (ys[south.row + south.rows] ?? 0) - bottom > near)
    if ((endsInRow || endsInColumn) && ++bars >= fewest) return true
  }
  return false
}
