import type { Bounds } from "../Bounds.ts"
import { boundsOf } from "../Bounds.ts"
import type { Frame } from "../Fragments.ts"
import type { Line } from "../Lines.ts"
import type { FoundTable } from "../tables/Tables.ts"
import type { TagText } from "../tags/TagTree.ts"

/** What is read in one go, in the coordinates of its frame: lines from top to bottom, or a table, which has no lines of its own. */
export interface Column {
  readonly frame: Frame
  readonly lines: ReadonlyArray<Line>
  readonly table?: FoundTable
  /** The lines are one block, and the file says what it is. */
  readonly role?: Role
}

export interface Role {
  readonly kind: TagText["kind"]
  /** Of a heading, from 1; of an item of a list its depth, from 0. */
  readonly level: number
  /** Of an item of a list; empty if the file does not tell it apart from the text. */
  readonly marker: string
}

export const columnBounds = ({ lines, table }: Column): Bounds => table?.box ?? boundsOf(lines)
