// A table as rows of cells, each place covered once.
import type { LayoutLine, Table } from "../document/PageLayout.ts"

export interface GridCell {
  readonly rows: number
  readonly columns: number
  readonly lines: ReadonlyArray<LayoutLine>
}

/** Rows with the cells that begin in them, empty ones included; places that a cell above or before covers have none. */
export interface Grid {
  readonly columns: number
  readonly rows: ReadonlyArray<ReadonlyArray<GridCell>>
}

const none: ReadonlyArray<LayoutLine> = []
const emptyCell: GridCell = { rows: 1, columns: 1, lines: none }

/** A table that says it has more places is shown as one column of its cells. */
export const mostPlaces = 1_000_000

export const hasSpans = ({ cells }: Table): boolean => cells.some(({ columns, rows }) => rows > 1 || columns > 1)

/** How far a cell reaches without covering a place that another has. */
const freeColumns = (row: ReadonlyArray<boolean>, from: number, to: number): number => {
  let column = from
  while (column < to && row[column] !== true) column++
  return column - from
}

export const gridOf = ({ cells, columns, rows }: Table): Grid => {
  if (Math.max(rows, 1) * Math.max(columns, 1) > mostPlaces) {
    return { columns: 1, rows: cells.map(({ lines }) => [{ ...emptyCell, lines }]) }
  }
  const taken = Array.from({ length: rows }, () => Array.from({ length: columns }, () => false))
  const starts = Array.from({ length: rows }, () => new Map<number, GridCell>())
  for (const cell of cells) {
    const first = taken[cell.row]
    if (first === undefined || cell.column >= columns || first[cell.column] === true) continue
    const width = freeColumns(first, cell.column, Math.min(columns, cell.column + cell.columns))
    let height = 1
    while (
      height < cell.rows &&
      freeColumns(taken[cell.row + height] ?? [], cell.column, cell.column + width) === width &&
      cell.row + height < rows
    ) {
      height++
    }
    for (let row = cell.row; row < cell.row + height; row++) taken[row]?.fill(true, cell.column, cell.column + width)
    starts[cell.row]?.set(cell.column, { rows: height, columns: width, lines: cell.lines })
  }
  const filled = taken.map((row, index) =>
    row.flatMap((isTaken, column) => {
      const start = starts[index]?.get(column)
      return start !== undefined ? [start] : isTaken ? [] : [emptyCell]
    })
  )
  return { columns, rows: filled }
}
