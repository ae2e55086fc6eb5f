// Tables that only the places of their text show.
import type { Segment } from "../Segments.ts"
import { assemble } from "./Assembly.ts"
import { findColumns } from "./Columns.ts"
import { extentOf } from "./Extent.ts"
import type { FoundTable } from "./FoundTable.ts"
import { toLines, toRowGroups } from "./RowGroups.ts"
import type { TextRow } from "./Rows.ts"
import { toRows, usualSize } from "./Rows.ts"
import type { Rulings } from "./Rulings.ts"

// In parts of the font size.
const farthestRow = 3
const cellGap = 1

const hasGap = (row: TextRow, em: number): boolean =>
  row.pieces.some((piece, index) => index > 0 && piece.left - (row.pieces[index - 1]?.right ?? Infinity) >= cellGap * em)

/** Lines that follow each other, all but a few with gaps. */
const runs = (rows: ReadonlyArray<TextRow>, em: number): ReadonlyArray<ReadonlyArray<TextRow>> => {
  const found: Array<Array<TextRow>> = []
  let open: Array<TextRow> = []
  let loose = 0
  const end = (): void => {
    while (open.length > 0 && !hasGap(open.at(-1) as TextRow, em)) open.pop()
    if (open.length >= 3) found.push(open)
    open = []
    loose = 0
  }
  for (const row of rows) {
    const last = open.at(-1)
    if (last !== undefined && row.baseline - last.baseline > farthestRow * em) end()
    if (hasGap(row, em)) {
      open.push(row)
      loose = 0
    } else if (open.length > 0) {
      if (++loose > 1) end()
      else open.push(row)
    }
  }
  end()
  return found
}

export const findUnruled = (segments: ReadonlyArray<Segment>, _rulings: Rulings): ReadonlyArray<FoundTable> => {
  const rows = toRows(segments)
  const em = usualSize(rows)
  return runs(rows, em).flatMap((run) => {
    const columns = findColumns(run, em)
    if (columns.columns.length < 2) return []
    const groups = toRowGroups(toLines(run, columns, em), columns, [])
    return [assemble(groups, columns, extentOf(run.flatMap(({ pieces }) => pieces)), em)]
  })
}
