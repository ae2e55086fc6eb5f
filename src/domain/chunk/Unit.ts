// What chunks are packed of: a heading, a paragraph, an item of a list, a block of code. One is divided only if it is larger than a chunk.
import type { LayoutLine } from "../document/PageLayout.ts"
import type { Compounds } from "../rendering/RenderOptions.ts"
import { joinedText } from "../rendering/TextRuns.ts"
import type { Found } from "./LinePlaces.ts"
import type { OpenHeading } from "./Section.ts"
import type { Piece } from "./SplitText.ts"

export interface Unit {
  readonly kind: "text" | "list" | "code"
  readonly text: string
  readonly places: ReadonlyArray<Found>
  /** What separates it from a unit of the same kind before it. */
  readonly gap: "\n" | "\n\n"
  /** A part of its text, with the places of that part. */
  readonly piece: (piece: Piece) => Unit
  /** Of a heading: the headings above it. */
  readonly above?: ReadonlyArray<OpenHeading> | undefined
}

/** Where each line begins in their joined text, nearly: the ends of lines depend on their neighbours only. */
export const lineStarts = (lines: ReadonlyArray<LayoutLine>, compounds: Compounds): ReadonlyArray<number> => {
  const starts: Array<number> = []
  let start = 0
  for (const [index, line] of lines.entries()) {
    starts.push(start)
    const next = lines[index + 1]
    if (next === undefined) break
    start += joinedText([line, next], compounds).length - joinedText([next], compounds).length
  }
  return starts
}

/** Which lines a part of their text covers. `starts` is that of `lineStarts`. */
export const linesWithin = (
  lines: ReadonlyArray<LayoutLine>,
  starts: ReadonlyArray<number>,
  { end, start }: Piece
): ReadonlyArray<LayoutLine> => {
  const within = lines.filter((_line, index) => {
    const next = starts[index + 1] ?? Number.POSITIVE_INFINITY
    return (starts[index] ?? 0) < end && next > start
  })
  return within.length > 0 ? within : lines.slice(-1)
}

export const joinUnits = (units: ReadonlyArray<Unit>): string => {
  let text = ""
  let before: Unit["kind"] | undefined
  for (const unit of units) {
    if (before !== undefined) text += unit.kind === before ? unit.gap : "\n\n"
    text += unit.text
    before = unit.kind
  }
  return text
}
