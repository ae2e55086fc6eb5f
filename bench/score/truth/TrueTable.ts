// Sets a table, and says it as HTML.
import type { Flow } from "./Flow.ts"
import type { Pen } from "./Pen.ts"

export interface Cell {
  readonly text: string
  readonly rows?: number
  readonly columns?: number
}

export interface TrueTable {
  readonly widths: ReadonlyArray<number>
  readonly headerRows: number
  /** The cells that begin in each row. */
  readonly rows: ReadonlyArray<ReadonlyArray<Cell>>
  /** `ruled`: lines around every cell; `open`: above and below the head, and at the end; `none`: no lines. */
  readonly lines: "ruled" | "open" | "none"
}

const rowHeight = 18

interface Placed extends Cell {
  readonly row: number
  readonly column: number
}

const place = ({ rows, widths }: TrueTable): ReadonlyArray<Placed> => {
  const taken = new Set<string>()
  return rows.flatMap((cells, row) => {
    let column = 0
    return cells.map((cell) => {
      while (taken.has(`${row} ${column}`)) column++
      const placed = { ...cell, row, column }
      for (let y = row; y < row + (cell.rows ?? 1); y++) {
        for (let x = column; x < Math.min(widths.length, column + (cell.columns ?? 1)); x++) taken.add(`${y} ${x}`)
      }
      return placed
    })
  })
}

const html = ({ rows }: TrueTable): string => {
  const span = (name: string, count = 1) => (count > 1 ? ` ${name}="${count}"` : "")
  const lines = rows.map(
    (cells) =>
      `<tr>${cells.map(({ columns, rows, text }) => `<td${span("rowspan", rows)}${span("colspan", columns)}>${text}</td>`).join("")}</tr>`
  )
  return `<table>\n${lines.join("\n")}\n</table>`
}

const draw = (pen: Pen, table: TrueTable, x: number, y: number): void => {
  const edges = table.widths.reduce<Array<number>>((all, width) => [...all, (all.at(-1) ?? 0) + width], [x])
  const right = edges.at(-1) ?? x
  for (const { column, columns = 1, row, rows = 1, text } of place(table)) {
    const [left, end] = [edges[column] ?? x, edges[column + columns] ?? right]
    const [above, below] = [y + row * rowHeight, y + (row + rows) * rowHeight]
    pen.text(text, left + 4, (above + below) / 2 - 5, 9, row < table.headerRows ? "bold" : "regular")
    if (table.lines !== "ruled") continue
    for (const height of [above, below]) pen.line(left, height, end, height)
    for (const edge of [left, end]) pen.line(edge, above, edge, below)
  }
  if (table.lines !== "open") return
  for (const row of [0, table.headerRows, table.rows.length])
    pen.line(x, y + row * rowHeight, right, y + row * rowHeight)
}

export const setTable = (pen: Pen, flow: Flow, table: TrueTable): void => {
  flow.y += 6
  flow.need(table.rows.length * rowHeight)
  draw(pen, table, flow.column.x, flow.y)
  flow.y += table.rows.length * rowHeight + 14
  flow.say(html(table))
}

/** A table of plain cells that fills pages, each of which begins with the head. */
export const setLongTable = (pen: Pen, flow: Flow, table: TrueTable): void => {
  const [head = [], ...rest] = table.rows
  let left = rest
  while (left.length > 0) {
    const room = Math.max(2, Math.floor((740 - flow.y) / rowHeight) - 1)
    const part = { ...table, rows: [head, ...left.slice(0, room)] }
    draw(pen, part, flow.column.x, flow.y)
    flow.y += part.rows.length * rowHeight + 14
    left = left.slice(room)
    if (left.length > 0) flow.need(1_000)
  }
  flow.say(html(table))
}
