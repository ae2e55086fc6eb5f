// Tables whose cells are told by the colour of their ground alone, as in slides.
import type { Bounds } from "../../Bounds.ts"
import type { Lattice } from "./Lattice.ts"
import { extentOfLattice, findLattices, Unions } from "./Lattice.ts"
import type { Ruling } from "../Rulings.ts"
import { merged } from "../Rulings.ts"

// In points.
const lowest = 6
const narrowest = 12
const highest = 240
const touching = 2.5

const fewest = 4
/** Comparing all with each other; a page with more is a picture. */
const most = 1_000

const contains = (outer: Bounds, inner: Bounds): boolean =>
  outer !== inner &&
  inner.left >= outer.left - touching &&
  inner.right <= outer.right + touching &&
  inner.top >= outer.top - touching &&
  inner.bottom <= outer.bottom + touching

const touches = (one: Bounds, other: Bounds): boolean =>
  one.left <= other.right + touching &&
  other.left <= one.right + touching &&
  one.top <= other.bottom + touching &&
  other.top <= one.bottom + touching

const sizeOf = ({ left, right, top, bottom }: Bounds): number => (right - left) * (bottom - top)

/** Each once, without those under others. */
const cellsAmong = (areas: ReadonlyArray<Bounds>): ReadonlyArray<Bounds> => {
  const fitting = areas.filter(
    ({ left, right, top, bottom }) => bottom - top >= lowest && bottom - top <= highest && right - left >= narrowest
  )
  const distinct = [
    ...new Map(
      fitting.map((area) => [[area.left, area.right, area.top, area.bottom].map(Math.round).join(), area])
    ).values()
  ]
  if (distinct.length > most) return []
  return distinct.filter((area) => distinct.filter((other) => contains(area, other)).length < 2)
}

/** From top to bottom. */
export const findGroundLattices = (areas: ReadonlyArray<Bounds>): ReadonlyArray<Lattice> => {
  if (areas.length < fewest) return []
  const cells = cellsAmong(areas)
  const sets = new Unions(cells.length)
  for (const [index, one] of cells.entries()) {
    for (let next = index + 1; next < cells.length; next++) {
      const other = cells[next]
      if (other !== undefined && touches(one, other)) sets.join(index, next)
    }
  }
  const groups = [...Map.groupBy(cells.keys(), (index) => sets.find(index)).values()]
  return groups.flatMap((group) => {
    const own = group.flatMap((index) => cells[index] ?? [])
    if (own.length < fewest) return []
    const horizontals = own.flatMap(({ left, right, top, bottom }): Array<Ruling> => [
      { position: top, from: left, to: right },
      { position: bottom, from: left, to: right }
    ])
    const verticals = own.flatMap(({ left, right, top, bottom }): Array<Ruling> => [
      { position: left, from: top, to: bottom },
      { position: right, from: top, to: bottom }
    ])
    const lattices = findLattices({ horizontals: merged(horizontals), verticals: merged(verticals), areas: [] })
    // Cells that lie on each other, or leave much of the ground free, are a drawing.
    const covered = own.reduce((sum, area) => sum + sizeOf(area), 0)
    return lattices.filter((lattice) => {
      const share = covered / sizeOf(extentOfLattice(lattice))
      // What has one cell in most rows is the ground of lines of text.
      if (lattice.spans.length < 1.6 * (lattice.ys.length - 1)) return false
      return share > 0.75 && share < 1.1 && lattice.xs.length > 2 && lattice.ys.length > 3
    })
  })
}
