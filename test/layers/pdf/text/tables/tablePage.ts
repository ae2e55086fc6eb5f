// Pages put together from pieces of text and rulings, and the tables found on them as lines of text.
import type { Drawn } from "../../../../../src/layers/pdf/text/Drawn.ts"
import { toLines } from "../../../../../src/layers/pdf/text/Lines.ts"
import type { Segment } from "../../../../../src/layers/pdf/text/Segments.ts"
import { toSegments } from "../../../../../src/layers/pdf/text/Segments.ts"
import { toRulings } from "../../../../../src/layers/pdf/text/tables/Rulings.ts"
import type { FoundTable } from "../../../../../src/layers/pdf/text/tables/Tables.ts"
import { findTables } from "../../../../../src/layers/pdf/text/tables/Tables.ts"

export const size = 10
const letter = 5

/** `x` is the left end; `y` the baseline, from the top of the page. */
export const text = (words: string, x: number, y: number): Segment => {
  const [segment] = toSegments([
    {
      text: words,
      left: x,
      right: x + words.length * letter,
      baseline: y,
      size,
      rightToLeft: false,
      spaced: false,
      look: 0,
      order: 0,
      tag: undefined,
      glyphs: undefined
    }
  ])
  if (segment === undefined) throw new Error("no segment")
  return segment
}

/** Cells of a line at the places of its columns; an empty string leaves one out. */
export const cells = (words: ReadonlyArray<string>, xs: ReadonlyArray<number>, y: number): ReadonlyArray<Segment> =>
  words.flatMap((word, column) => (word === "" ? [] : [text(word, xs[column] ?? 0, y)]))

/** The same with their right ends at the places. */
export const numbers = (words: ReadonlyArray<string>, xs: ReadonlyArray<number>, y: number): ReadonlyArray<Segment> =>
  words.flatMap((word, column) => (word === "" ? [] : [text(word, (xs[column] ?? 0) - word.length * letter, y)]))

const drawn = (kind: Drawn["kind"], left: number, right: number, top: number, bottom: number): Drawn => ({
  kind,
  left,
  right,
  top,
  bottom,
  width: 0.5,
  tone: 0,
  order: 0,
  colour: -1
})

export const across = (y: number, from: number, to: number): Drawn => drawn("line", from, to, y, y)
export const down = (x: number, from: number, to: number): Drawn => drawn("line", x, x, from, to)
export const filled = (left: number, right: number, top: number, bottom: number): Drawn =>
  drawn("rectangle", left, right, top, bottom)

export const grid = (xs: ReadonlyArray<number>, ys: ReadonlyArray<number>): ReadonlyArray<Drawn> => [
  ...ys.map((y) => across(y, xs[0] ?? 0, xs.at(-1) ?? 0)),
  ...xs.map((x) => down(x, ys[0] ?? 0, ys.at(-1) ?? 0))
]

export const find = (segments: ReadonlyArray<Segment>, things: ReadonlyArray<Drawn> = []) =>
  findTables(segments, toRulings(things, { ux: 1, uy: 0 }))

/** A row a line, `|` between columns, `>` and `^` where the cell to the left or above reaches. */
export const shown = ({ cells: found, columns, rows }: FoundTable): ReadonlyArray<string> =>
  Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_none, column) => {
      const cell = found.find(
        (one) => one.row <= row && row < one.row + one.rows && one.column <= column && column < one.column + one.columns
      )
      if (cell === undefined) return ""
      if (cell.column < column) return ">"
      if (cell.row < row) return "^"
      return toLines(cell.segments)
        .map((line) => line.text)
        .join(" ")
    }).join("|")
  )

export const tablesOf = (segments: ReadonlyArray<Segment>, things: ReadonlyArray<Drawn> = []) =>
  find(segments, things).tables.map(shown)
