// The columns and tables of one frame in the order of reading. Tables are found first: a column would cut them apart. In the
// search for columns a table is one thing, as high and wide as it is.
import { toBlocks } from "./Columns.ts"
import type { Drawn } from "../Drawn.ts"
import type { Frame } from "../Fragments.ts"
import { toLines } from "../Lines.ts"
import type { Segment } from "../Segments.ts"
import { toSegments } from "../Segments.ts"
import { toRulings } from "../tables/Rulings.ts"
import type { FoundTable } from "../tables/Tables.ts"
import { findTables } from "../tables/Tables.ts"
import type { Column } from "./Column.ts"
import { joinInitials } from "./Initials.ts"
import { notesLast } from "./Notes.ts"

const standIn = ({ box: { left, right, top, bottom } }: FoundTable): Segment => ({
  text: "",
  left,
  right,
  baseline: top + 0.8 * (bottom - top),
  size: bottom - top,
  rightToLeft: false,
  spaced: false,
  parts: [],
  ends: []
})

/** A block of segments, with a column for each table in it. */
const aroundTables = (
  frame: Frame,
  block: ReadonlyArray<Segment>,
  tables: ReadonlyMap<Segment, FoundTable>
): ReadonlyArray<Column> => {
  const columns: Array<Column> = []
  let open: Array<Segment> = []
  const close = (): void => {
    if (open.length > 0) columns.push({ frame, lines: toLines(open) })
    open = []
  }
  for (const segment of block) {
    const table = tables.get(segment)
    if (table === undefined) {
      open.push(segment)
    } else {
      close()
      columns.push({ frame, lines: [], table })
    }
  }
  close()
  return columns
}

export const readFrame = (frame: Frame, drawn: ReadonlyArray<Drawn>): ReadonlyArray<Column> => {
  const segments = joinInitials(toSegments(frame.fragments))
  const { rest, tables } = findTables(segments, toRulings(drawn, frame))
  if (tables.length === 0) return notesLast(toBlocks(rest).map((block) => ({ frame, lines: toLines(block) })))
  const standIns = new Map(tables.map((table) => [standIn(table), table]))
  const blocks = toBlocks([...rest, ...standIns.keys()])
  return notesLast(blocks.flatMap((block) => aroundTables(frame, block, standIns)))
}
