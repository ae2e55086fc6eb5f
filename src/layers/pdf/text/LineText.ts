// The text of a line whose runs alone do not tell it: one with letters set apart, or with text read from right to left.
import { inReadingOrder } from "./Bidi.ts"
import { glyphsOf } from "./Glyphs.ts"
import type { Segment } from "./Segments.ts"
import { separator } from "./Segments.ts"
import type { PlacedGlyph } from "./Tracking.ts"
import { closeTrackedWords } from "./Tracking.ts"

/** The glyphs of segments that are ordered from left to right. */
const glyphsOfLine = (segments: ReadonlyArray<Segment>): Array<PlacedGlyph> => {
  const line: Array<PlacedGlyph> = []
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
                glyph.spaced && !segment.rightToLeft
              ) !== ""
            : glyph.spaced
        line.push({ ...glyph, space })
      }
    }
  }
  return line
}

/** The text of segments that are ordered from left to right. `rightToLeft`: some of it is read the other way. */
export const lineText = (segments: ReadonlyArray<Segment>, rightToLeft: boolean): string => {
  const glyphs = glyphsOfLine(segments)
  closeTrackedWords(glyphs)
  const texts = glyphs.flatMap(({ text, space }, index) => (space && index > 0 ? [" ", text] : [text]))
  return rightToLeft ? inReadingOrder(texts) : texts.join("")
}
