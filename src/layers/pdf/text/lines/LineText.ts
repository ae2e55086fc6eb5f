// The text of a line whose runs alone do not tell it: one with letters set apart, or with text read from right to left.
import { inReadingOrder } from "./Bidi.ts"
import type { Fragment } from "../Fragment.ts"
import { glyphsOf } from "../Glyphs.ts"
import type { Segment } from "../Segments.ts"
import { separator } from "../Segments.ts"
import type { PlacedGlyph } from "./Tracking.ts"
import { closeTrackedWords } from "./Tracking.ts"

interface GlyphOfPart extends PlacedGlyph {
  readonly part: Fragment
}

/**
 * Whether the file has white space between two neighbours on a line. From the right to the left, the one after the other may
 * have been drawn before it.
 */
const isSpaced = (before: Fragment, part: Fragment): boolean =>
  (part.spaced && part.order === before.order + 1) || (before.spaced && before.order === part.order + 1)

/** The glyphs of segments that are ordered from left to right. */
const glyphsOfLine = (segments: ReadonlyArray<Segment>): Array<GlyphOfPart> => {
  const line: Array<GlyphOfPart> = []
  for (const segment of segments) {
    for (const part of segment.parts) {
      for (const [index, glyph] of glyphsOf(part).entries()) {
        const before = line.at(-1)
        const space =
          before !== undefined && index === 0
            ? separator(
                before.text,
                glyph.text,
                glyph.left - before.right,
                Math.min(before.size, glyph.size),
                segment.rightToLeft ? isSpaced(before.part, part) : glyph.spaced
              ) !== ""
            : glyph.spaced
        line.push({ ...glyph, space, part })
      }
    }
  }
  return line
}

/** Text of one fragment, or a space. */
export interface Piece {
  readonly text: string
  readonly part: Fragment | undefined
  readonly left?: number
  readonly right?: number
}

/** The text of segments that are ordered from left to right, in the order of reading. `rightToLeft`: some of it is read the other way. */
export const linePieces = (segments: ReadonlyArray<Segment>, rightToLeft: boolean): ReadonlyArray<Piece> => {
  const glyphs = glyphsOfLine(segments)
  closeTrackedWords(glyphs)
  const pieces: Array<Piece> = []
  for (const [index, { left, part, right, space, text }] of glyphs.entries()) {
    if (space && index > 0) pieces.push({ text: " ", part: undefined })
    pieces.push({ text, part, left, right })
  }
  if (!rightToLeft) return pieces
  return inReadingOrder(pieces.map(({ text }) => text)).map(({ at, text }) => ({
    part: undefined,
    ...pieces[at],
    text
  }))
}

/** The same as text. */
export const lineText = (segments: ReadonlyArray<Segment>, rightToLeft: boolean): string =>
  linePieces(segments, rightToLeft)
    .map(({ text }) => text)
    .join("")
