// The lines of text of a region, each with the pieces of which it consists.
import type { Segment } from "../Segments.ts"
import { onOneLine } from "../Segments.ts"
import { bottomOf, median, topOf } from "./Measures.ts"

/** Pieces from left to right. `baseline` and `size` are those of the first of its largest. */
export interface TextRow {
  readonly pieces: ReadonlyArray<Segment>
  readonly baseline: number
  readonly size: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const toRow = (pieces: ReadonlyArray<Segment>): TextRow => {
  const sorted = pieces.slice().sort((one, other) => one.left - other.left)
  const largest = sorted.reduce((best, piece) => (piece.size > best.size ? piece : best))
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const piece of sorted) {
    left = Math.min(left, piece.left)
    right = Math.max(right, piece.right)
    top = Math.min(top, topOf(piece))
    bottom = Math.max(bottom, bottomOf(piece))
  }
  return { pieces: sorted, baseline: largest.baseline, size: largest.size, left, right, top, bottom }
}

/** From top to bottom. */
export const toRows = (segments: ReadonlyArray<Segment>): ReadonlyArray<TextRow> => {
  const sorted = segments.slice().sort((one, other) => one.baseline - other.baseline || one.left - other.left)
  const rows: Array<Array<Segment>> = []
  let main: Segment | undefined
  for (const segment of sorted) {
    const row = rows.at(-1)
    if (
      row !== undefined &&
      main !== undefined &&
      onOneLine(main, segment) &&
      segment.baseline - main.baseline < 0.45 * main.size
    ) {
      row.push(segment)
      if (segment.size > main.size) main = segment
    } else {
      rows.push([segment])
      main = segment
    }
  }
  return rows.map(toRow)
}

/** The usual size of a text, by its characters. */
export const usualSize = (rows: ReadonlyArray<TextRow>): number =>
  median(rows.flatMap(({ pieces }) => pieces.map(({ size }) => size))) || 1

export const isNumeric = (text: string): boolean => {
  const bare = text.replace(/\s/g, "")
  if (/^([-–—−.…*/]+|n\/?a|N\/?A|n\.a\.|:)$/.test(bare)) return true
  let digits = 0
  let letters = 0
  for (const char of bare) {
    if (char >= "0" && char <= "9") digits++
    else if (/\p{L}/u.test(char)) letters++
  }
  return digits > 0 && digits >= letters && letters <= 4
}
