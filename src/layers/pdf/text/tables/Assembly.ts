// From rows and columns to a table with cells.
import type { Segment } from "../Segments.ts"
import type { Columns } from "./Columns.ts"
import type { Bounds } from "../Bounds.ts"
import { extentOf } from "./Measures.ts"
import type { FoundCell, FoundTable } from "./FoundTable.ts"
import type { RowGroups } from "./RowGroups.ts"
import { columnsOf } from "./RowGroups.ts"

export const readingOrder = (segments: ReadonlyArray<Segment>): ReadonlyArray<Segment> =>
  segments.slice().sort((one, other) => one.baseline - other.baseline || one.left - other.left)

/** Where one column ends and the next begins: one more than there are columns. */
const edgesOf = ({ columns }: Columns, { left, right }: Bounds): ReadonlyArray<number> => [
  left,
  ...columns.slice(1).map((column, index) => ((columns[index]?.right ?? 0) + column.left) / 2),
  right
]

interface Draft {
  from: number
  to: number
  readonly segments: Array<Segment>
}

export const assemble = (groups: RowGroups, columns: Columns, box: Bounds, em: number): FoundTable => {
  const edges = edgesOf(columns, box)
  const extents = groups.rows.map((lines) => extentOf(lines.flatMap(({ row }) => row.pieces)))
  const cells: Array<FoundCell> = []
  for (const [row, lines] of groups.rows.entries()) {
    const drafts: Array<Draft> = []
    const pieces = lines.flatMap((line) => line.row.pieces)
    // What lies across columns first, so that what stands below it in the same row joins it.
    const ordered = pieces
      .map((piece) => ({ piece, own: columnsOf(piece.left, piece.right, columns, 0.3 * em) }))
      .sort((one, other) => other.own.length - one.own.length)
    for (const { piece, own } of ordered) {
      const [from, to] = [own[0] ?? 0, own.at(-1) ?? 0]
      const draft = drafts.find((known) => known.from <= to && known.to >= from)
      if (draft === undefined) drafts.push({ from, to, segments: [piece] })
      else {
        draft.from = Math.min(draft.from, from)
        draft.to = Math.max(draft.to, to)
        draft.segments.push(piece)
      }
    }
    const top = row === 0 ? box.top : ((extents[row - 1]?.bottom ?? 0) + (extents[row]?.top ?? 0)) / 2
    const bottom =
      row + 1 === extents.length ? box.bottom : ((extents[row]?.bottom ?? 0) + (extents[row + 1]?.top ?? 0)) / 2
    for (const { from, to, segments } of drafts.sort((one, other) => one.from - other.from)) {
      cells.push({
        row,
        column: from,
        rows: 1,
        columns: to - from + 1,
        box: { left: edges[from] ?? 0, right: edges[to + 1] ?? 0, top, bottom },
        segments: readingOrder(segments)
      })
    }
  }
  return {
    box,
    rows: groups.rows.length,
    columns: columns.columns.length,
    headerRows: groups.headerRows,
    cells,
    taken: groups.rows.flatMap((lines) => lines.flatMap(({ row }) => row.pieces))
  }
}
