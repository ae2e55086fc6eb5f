import type { Segment } from "../Segments.ts"
import type { Bounds } from "../Bounds.ts"

export interface FoundCell {
  readonly row: number
  readonly column: number
  readonly rows: number
  readonly columns: number
  readonly box: Bounds
  /** From top to bottom, then from left to right. */
  readonly segments: ReadonlyArray<Segment>
}

/** Coordinates are those of the frame in which it was found. */
export interface FoundTable {
  readonly box: Bounds
  readonly rows: number
  readonly columns: number
  readonly headerRows: number
  /** How many cells it has, with or without text. */
  readonly slots: number
  /**
   * In the order of rows, then columns; those without text are left out. Column 0 is at the left, or at the right where the
   * text is read from there.
   */
  readonly cells: ReadonlyArray<FoundCell>
  /** The segments of the page that are in the table. Those of a cell may be parts of them. */
  readonly taken: ReadonlyArray<Segment>
}
