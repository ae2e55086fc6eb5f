// A line of text in a table, and the columns in which it has text.
import type { TextRow } from "../Rows.ts"
import type { Columns } from "./Columns.ts"

export interface TableLine {
  readonly row: TextRow
  /** Ascending. */
  readonly filled: ReadonlyArray<number>
  /** Some of it lies across columns. */
  readonly spans: boolean
}

/** Which columns a piece reaches into: at least the nearest. */
export const columnsOf = (
  left: number,
  right: number,
  { columns }: Pick<Columns, "columns">,
  slack: number
): ReadonlyArray<number> => {
  const found: Array<number> = []
  let nearest = 0
  let distance = Infinity
  for (const [index, column] of columns.entries()) {
    const common = Math.min(right, column.right) - Math.max(left, column.left)
    if (common > Math.min(slack, 0.5 * (column.right - column.left))) found.push(index)
    if (-common < distance) {
      distance = -common
      nearest = index
    }
  }
  return found.length > 0 ? found : [nearest]
}

export const toTableLines = (rows: ReadonlyArray<TextRow>, columns: Columns, em: number): ReadonlyArray<TableLine> =>
  rows.map((row) => {
    const filled = new Set<number>()
    for (const piece of row.pieces)
      for (const column of columnsOf(piece.left, piece.right, columns, 0.3 * em)) filled.add(column)
    return {
      row,
      filled: [...filled].sort((one, other) => one - other),
      spans: row.pieces.some((piece) => columns.spanning.has(piece))
    }
  })

/** The text of a line in a column. */
export const pieceIn = (line: TableLine, column: number, columns: Columns): string =>
  line.row.pieces
    .filter((piece) => {
      const { left, right } = columns.columns[column] ?? { left: 0, right: 0 }
      return Math.min(piece.right, right) - Math.max(piece.left, left) > 0
    })
    .map(({ text }) => text)
    .join(" ")
