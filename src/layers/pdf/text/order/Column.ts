import type { Bounds } from "../Bounds.ts"
import { boundsOf } from "../Bounds.ts"
import type { Frame } from "../Fragments.ts"
import type { Line } from "../Lines.ts"
import type { FoundTable } from "../tables/Tables.ts"

/** What is read in one go, in the coordinates of its frame: lines from top to bottom, or a table, which has no lines of its own. */
export interface Column {
  readonly frame: Frame
  readonly lines: ReadonlyArray<Line>
  readonly table?: FoundTable
}

export const columnBounds = ({ lines, table }: Column): Bounds => table?.box ?? boundsOf(lines)
