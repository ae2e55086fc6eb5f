// From rows and columns to a table with cells.
import type { Segment } from "../../Segments.ts"
import type { Columns } from "./Columns.ts"
import type { Bounds } from "../../Bounds.ts"
import { extentOf, readingOrder } from "../Measures.ts"
import type { FoundCell, FoundTable } from "../FoundTable.ts"
import type { Head } from "./Head.ts"
import { toHead } from "./Head.ts"
import type { RowGroups } from "./RowGroups.ts"
import type { Ruling } from "../Rulings.ts"
import { columnsOf } from "./TableLine.ts"

/** Where one column ends and the next begins: one more than there are columns. */
const edgesOf = ({ columns }: Columns, { left, right }: Bounds): ReadonlyArray<number> => [
  left,
  ...columns.slice(1).map((column, index) => ((columns[index]?.right ?? 0) + column.left) / 2),
  right
]

/** Half way between two rows; where there is only one, at the edge of the table. */
const between = (other: number | undefined, own = 0, edge = own): number =>
  other === undefined ? edge : (other + own) / 2

const headCells = (head: Head, edges: ReadonlyArray<number>, top: number, bottom: number): Array<FoundCell> => {
  const height = (bottom - top) / Math.max(1, head.rows)
  return head.cells.map(({ from, row, rows, segments, to }) => ({
    row,
    column: from,
    rows,
    columns: to - from + 1,
    box: {
      left: edges[from] ?? 0,
      right: edges[to + 1] ?? 0,
      top: top + row * height,
      bottom: top + (row + rows) * height
    },
    segments: readingOrder(segments)
  }))
}

interface Draft {
  from: number
  to: number
  readonly segments: Array<Segment>
}

export const assemble = (
  groups: RowGroups,
  columns: Columns,
  box: Bounds,
  em: number,
  rulings: ReadonlyArray<Ruling>
): FoundTable => {
  const edges = edgesOf(columns, box)
  const head = groups.head.length === 0 ? { rows: 0, cells: [] } : toHead(groups.head, columns, rulings)
  const extents = groups.rows.map((lines) => extentOf(lines.flatMap(({ row }) => row.pieces)))
  const cells = headCells(head, edges, box.top, extents[0]?.top ?? box.bottom)
  for (const [index, lines] of groups.rows.entries()) {
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
    const top = between(extents[index - 1]?.bottom, extents[index]?.top, head.rows === 0 ? box.top : undefined)
    const bottom = between(extents[index + 1]?.top, extents[index]?.bottom, box.bottom)
    for (const { from, to, segments } of drafts.sort((one, other) => one.from - other.from)) {
      cells.push({
        row: head.rows + index,
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
    rows: head.rows + groups.rows.length,
    columns: columns.columns.length,
    headerRows: groups.rows.length === 0 ? 0 : head.rows,
    slots: (head.rows + groups.rows.length) * columns.columns.length,
    cells: cells.sort((one, other) => one.row - other.row || one.column - other.column),
    taken: [groups.head, ...groups.rows].flatMap((lines) => lines.flatMap(({ row }) => row.pieces))
  }
}
