// Footnotes stand at the foot of each column, and are read after the last of the columns.
import type { Line } from "../Lines.ts"

type Column = ReadonlyArray<Line>

const smaller = 0.93
const noteSign = /^(?:\d{1,3}|[*†‡§¶]{1,3})(?:[.)]? ?)(?=[\p{L}"“‘'(])/u
const bodySizeOf = (columns: ReadonlyArray<Column>): number => {
  const sizes = new Map<number, number>()
  for (const lines of columns) {
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
const notesFrom = (lines: Column, bodySize: number): number => {
  let from = lines.length
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at]
    if (line === undefined || line.size > smaller * bodySize) break
    if (noteSign.test(line.text)) from = at
  }
  return from
}

/** The columns of a page, with the notes of all columns after the last that does not begin below them. */
export const notesLast = (columns: ReadonlyArray<Column>): ReadonlyArray<Column> => {
  if (columns.length < 2) return columns
  const bodySize = bodySizeOf(columns)
  const starts = columns.map((lines) => notesFrom(lines, bodySize))
  const notes = columns.flatMap((lines, at) => lines.slice(starts[at]))
  const lowest = notes.reduce((most, { bottom }) => Math.max(most, bottom), -Infinity)
  if (notes.length === 0) return columns
  const texts = columns.map((lines, at) => lines.slice(0, starts[at]))
  const last = texts.findLastIndex((lines) => lines.some(({ top }) => top < lowest))
  return [...texts.slice(0, last + 1), notes, ...texts.slice(last + 1)].filter((lines) => lines.length > 0)
}
