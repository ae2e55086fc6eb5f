// Footnotes stand at the foot of each column, and are read after the last of the columns.
import type { Line } from "../Lines.ts"
import type { Column } from "./Column.ts"
import { columnBounds } from "./Column.ts"

const smaller = 0.93
const noteSign = /^(?:\d{1,3}|[*†‡§¶]{1,3})(?:[.)]? ?)(?=[\p{L}"“‘'(])/u
const bodySizeOf = (columns: ReadonlyArray<Column>): number => {
  const sizes = new Map<number, number>()
  for (const { lines } of columns) {
    for (const { size, text } of lines) {
      const key = Math.round(size * 2) / 2
      sizes.set(key, (sizes.get(key) ?? 0) + text.length)
    }
  }
  let [body, most] = [0, 0]
  for (const [size, count] of sizes) {
    if (count > most) [body, most] = [size, count]
  }
  return body
}

/** Where the notes of a column begin: its length if it has none. */
const notesFrom = (lines: ReadonlyArray<Line>, bodySize: number): number => {
  let from = lines.length
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at]
    if (line === undefined || line.size > smaller * bodySize) break
    if (noteSign.test(line.text)) from = at
  }
  return from
}

const isBare = ({ lines, table }: Column): boolean => lines.length === 0 && table === undefined

/** The columns of a page, with the notes of all columns after the last that does not begin below them. */
export const notesLast = (columns: ReadonlyArray<Column>): ReadonlyArray<Column> => {
  if (columns.length < 2) return columns
  const bodySize = bodySizeOf(columns)
  const starts = columns.map(({ lines }) => notesFrom(lines, bodySize))
  const notes = columns.flatMap(({ lines }, at) => lines.slice(starts[at]))
  const lowest = notes.reduce((most, { bottom }) => Math.max(most, bottom), -Infinity)
  const [first] = columns
  if (notes.length === 0 || first === undefined) return columns
  const texts = columns.map((column, at) => ({ ...column, lines: column.lines.slice(0, starts[at]) }))
  const last = texts.findLastIndex((column) => !isBare(column) && columnBounds(column).top < lowest)
  const ordered = [...texts.slice(0, last + 1), { frame: first.frame, lines: notes }, ...texts.slice(last + 1)]
  return ordered.filter((column) => !isBare(column))
}
