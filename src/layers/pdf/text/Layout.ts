// Text as a person reads it: words joined, lines whole, columns one after the other. Pure; knows nothing of pdf.js but
// the form of its text items, and costs O(n log n) in their number.
//
// In `text` every line ends in a line feed, and an empty line stands between blocks: where a column ends, and where the
// distance of two lines is clearly greater than is usual in their column. Text of another direction than most of the
// page's comes last, as a block of its own.
import type { TextLine } from "../../../domain/document/Page.ts"
import { toBlocks } from "./Columns.ts"
import type { Frame, Viewport } from "./Fragments.ts"
import { toFrames } from "./Fragments.ts"
import type { Line } from "./Lines.ts"
import { toLines } from "./Lines.ts"
import { toSegments } from "./Segments.ts"

export interface TextLayout {
  readonly text: string
  /** In the order of `text`. Numbers have two decimals. */
  readonly lines: ReadonlyArray<TextLine>
}

// A file can push a place beyond all numbers. It becomes 0: neither JSON nor the store can hold infinity.
const round = (value: number): number => (Number.isFinite(value * 100) ? Math.round(value * 100) / 100 : 0)

const onPage = ({ ux, uy }: Frame, line: Line): TextLine => {
  const { text, left, right, top, bottom } = line
  if (uy === 0 && ux === 1) {
    return { text, x: round(left), y: round(top), width: round(right - left), height: round(bottom - top) }
  }
  // The box around the turned box.
  const xs = [left * ux - top * uy, right * ux - top * uy, left * ux - bottom * uy, right * ux - bottom * uy]
  const ys = [left * uy + top * ux, right * uy + top * ux, left * uy + bottom * ux, right * uy + bottom * ux]
  const x = Math.min(...xs)
  const y = Math.min(...ys)
  return { text, x: round(x), y: round(y), width: round(Math.max(...xs) - x), height: round(Math.max(...ys) - y) }
}

const usualPitch = (lines: ReadonlyArray<Line>): number => {
  const pitches = new Float64Array(Math.max(0, lines.length - 1))
  for (let i = 1; i < lines.length; i++) pitches[i - 1] = (lines[i]?.baseline ?? 0) - (lines[i - 1]?.baseline ?? 0)
  pitches.sort()
  return pitches[pitches.length >> 1] ?? 0
}

export const layoutText = (items: ReadonlyArray<object>, viewport: Viewport): TextLayout => {
  const lines: Array<TextLine> = []
  let text = ""
  for (const frame of toFrames(items, viewport)) {
    for (const block of toBlocks(toSegments(frame.fragments))) {
      const own = toLines(block)
      const pitch = usualPitch(own)
      let before: Line | undefined
      for (const line of own) {
        const apart =
          before === undefined ||
          (line.baseline - before.baseline > 1.4 * pitch && line.top - before.bottom > 0.5 * line.size)
        if (text !== "") text += apart ? "\n\n" : "\n"
        text += line.text
        lines.push(onPage(frame, line))
        before = line
      }
    }
  }
  return { text, lines }
}
