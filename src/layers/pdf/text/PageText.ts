// The text of a page: its columns and tables one after the other.
//
// Every line ends in a line feed, and an empty line stands between blocks: where a column or a table ends, and where the distance
// of two lines is clearly greater than is usual in their column.
import type { TextLine } from "../../../domain/document/Page.ts"
import type { Line } from "./Lines.ts"
import type { Column } from "./order/Column.ts"
import { boxOnPage } from "./PageLayouts.ts"
import { rowTexts } from "./tables/TableText.ts"

export interface TextLayout {
  readonly text: string
  /** In the order of `text`. Numbers have two decimals. */
  readonly lines: ReadonlyArray<TextLine>
}

const usualPitch = (lines: ReadonlyArray<Line>): number => {
  const pitches = new Float64Array(Math.max(0, lines.length - 1))
  for (let i = 1; i < lines.length; i++) pitches[i - 1] = (lines[i]?.baseline ?? 0) - (lines[i - 1]?.baseline ?? 0)
  pitches.sort()
  return pitches[pitches.length >> 1] ?? 0
}

export const toText = (columns: ReadonlyArray<Column>): TextLayout => {
  const lines: Array<TextLine> = []
  let text = ""
  for (const { frame, lines: own, table } of columns) {
    if (table !== undefined) {
      for (const [row, { text: words, ...bounds }] of rowTexts(table).entries()) {
        if (text !== "") text += row === 0 ? "\n\n" : "\n"
        text += words
        lines.push({ text: words, ...boxOnPage(frame, bounds) })
      }
      continue
    }
    const pitch = usualPitch(own)
    let before: Line | undefined
    for (const line of own) {
      const apart =
        before === undefined ||
        (line.baseline - before.baseline > 1.4 * pitch && line.top - before.bottom > 0.5 * line.size)
      if (text !== "") text += apart ? "\n\n" : "\n"
      text += line.text
      lines.push({ text: line.text, ...boxOnPage(frame, line) })
      before = line
    }
  }
  return { text, lines }
}
