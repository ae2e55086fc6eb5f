// Finds the tables of a page among its segments. Ruled ones first: they are certain. Then those between horizontal
// rulings, and last those that only the places of their text show.
import type { Segment } from "../Segments.ts"
import type { Extent } from "./Extent.ts"
import type { FoundTable } from "./FoundTable.ts"
import { findHalfRuled } from "./HalfRuled.ts"
import { extentOfLattice, findLattices, withGrounds } from "./Lattice.ts"
import { isTable } from "./Judgement.ts"
import { toRuledTable } from "./Ruled.ts"
import type { Rulings } from "./Rulings.ts"
import { findUnruled } from "./Unruled.ts"

export type { FoundCell, FoundTable } from "./FoundTable.ts"

/** A page with more is not searched. */
const mostSegments = 20_000

const isWithin = (inner: Extent, outer: Extent): boolean =>
  inner.left >= outer.left - 3 && inner.right <= outer.right + 3 && inner.top >= outer.top - 3 && inner.bottom <= outer.bottom + 3

/** From top to bottom. No segment is in two of them. */
export const findTables = (segments: ReadonlyArray<Segment>, rulings: Rulings, page: { readonly width: number; readonly height: number }): ReadonlyArray<FoundTable> => {
  if (segments.length < 4 || segments.length > mostSegments) return []
  const tables: Array<FoundTable> = []
  const free = new Set(segments)
  const keep = (table: FoundTable | undefined): boolean => {
    if (table === undefined || !table.taken.every((segment) => free.has(segment))) return false
    tables.push(table)
    for (const segment of table.taken) free.delete(segment)
    return true
  }
  // Inner lattices first: a frame around a table is no table.
  const lattices = findLattices(rulings).slice()
  lattices.sort((one, other) => (isWithin(extentOfLattice(one), extentOfLattice(other)) ? -1 : 0))
  for (const lattice of lattices) {
    const table = toRuledTable(withGrounds(lattice, rulings.areas), [...free])
    if (table !== undefined && isTable(table, "ruled", page)) keep(table)
  }
  for (const table of findHalfRuled([...free], rulings)) if (isTable(table, "half-ruled", page)) keep(table)
  for (const table of findUnruled([...free], rulings)) if (isTable(table, "unruled", page)) keep(table)
  return tables.sort((one, other) => one.box.top - other.box.top || one.box.left - other.box.left)
}
