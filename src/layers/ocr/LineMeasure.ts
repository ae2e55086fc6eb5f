// Where a recognised line stands and how large its letters are. A recogniser gives boxes around what is black; how tall that is
// depends on the letters: "x" has half of the font's size, "X" two thirds, and "y" goes below the line.
import type { OcrLine, OcrWord } from "../../services/Ocr.ts"

/** In the direction of the line: `left` to `right` along it, heights growing downwards from it. */
interface Upright {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface MeasuredLine {
  /** Along the line in its direction. */
  readonly ux: number
  readonly uy: number
  readonly words: ReadonlyArray<Upright>
  /** Of the middle of the line: a scan is seldom straight. */
  readonly baseline: number
  readonly size: number
}

const directions = { 0: [1, 0], 90: [0, 1], 180: [-1, 0], 270: [0, -1] } as const

const upright = ({ height, text, width, x, y }: OcrWord, ux: number, uy: number): Upright => {
  const alongs = [x * ux + y * uy, (x + width) * ux + (y + height) * uy]
  const heights = [y * ux - x * uy, (y + height) * ux - (x + width) * uy]
  return {
    text,
    left: Math.min(...alongs),
    right: Math.max(...alongs),
    top: Math.min(...heights),
    bottom: Math.max(...heights)
  }
}

const ideographs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u
const descending = /[gjpqyçµQ,;()[\]{}|@$§]/
/** Letters as tall as capitals; marks and short strokes tell nothing. */
const tall = /[\p{Lu}\p{Nd}bdfhklßþðäöü]/u
const low = /[acemnorsuvwxz]/

// Parts of the font's size.
const capital = 0.7
const small = 0.48
const descent = 0.21
const ideograph = 0.9
const belowIdeograph = 0.1

const median = (values: ReadonlyArray<number>): number | undefined =>
  values.length === 0 ? undefined : values.toSorted((a, b) => a - b)[values.length >> 1]

/** The font's size from the heights of words. */
const sizeOf = (words: ReadonlyArray<Upright>): number => {
  const heights = (chosen: RegExp, part: (word: Upright) => number) =>
    median(words.filter(({ text }) => chosen.test(text)).map((word) => (word.bottom - word.top) / part(word)))
  const isCjk = words.some(({ text }) => ideographs.test(text))
  const below = ({ text }: Upright) => (descending.test(text) ? descent : 0)
  const size =
    (isCjk ? heights(ideographs, () => ideograph) : undefined) ??
    heights(tall, (word) => capital + below(word)) ??
    heights(low, (word) => small + below(word)) ??
    median(words.map(({ bottom, top }) => bottom - top)) ??
    0
  return Math.max(1, size)
}

const baselineOf = ({ bottom, text }: Upright, size: number): number => {
  if (ideographs.test(text)) return bottom - belowIdeograph * size
  return descending.test(text) ? bottom - descent * size : bottom
}

/** By lines where possible: a word of dots or dashes alone stands anywhere. */
const hasLetters = /[\p{L}\p{Nd}]/u

export const measureLine = ({ direction, words }: OcrLine): MeasuredLine => {
  const [ux, uy] = directions[direction]
  const placed = words.map((word) => upright(word, ux, uy))
  const telling = placed.filter(({ text }) => hasLetters.test(text))
  const measured = telling.length > 0 ? telling : placed
  const size = sizeOf(measured)
  return { ux, uy, words: placed, baseline: median(measured.map((word) => baselineOf(word, size))) ?? 0, size }
}

/** Sizes so near to that of most of the text are the same: one line is measured a little taller than the next. */
const sameSize = 0.18

/** The lines with sizes that are alike made equal. */
export const evenSizes = (lines: ReadonlyArray<MeasuredLine>): ReadonlyArray<MeasuredLine> => {
  const bySize = lines.toSorted((one, other) => one.size - other.size)
  const lengthOf = ({ words }: MeasuredLine) => words.reduce((sum, { text }) => sum + text.length, 0)
  const total = bySize.reduce((sum, line) => sum + lengthOf(line), 0)
  let seen = 0
  const middle = bySize.find((line) => (seen += lengthOf(line)) * 2 >= total)
  if (middle === undefined) return lines
  return lines.map((line) =>
    Math.abs(line.size - middle.size) <= sameSize * middle.size ? { ...line, size: middle.size } : line
  )
}
