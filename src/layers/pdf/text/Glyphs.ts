// The single glyphs of a run, for the few lines where the text of the whole run is not enough.
import { cleanText, hasRightToLeft } from "./Characters.ts"
import type { Fragment, GlyphPlaces } from "./Fragment.ts"

/** A glyph, or a whole fragment if its glyphs are not known. Coordinates are those of the frame. */
export interface Glyph {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly baseline: number
  readonly size: number
  /** The run has a space before it. */
  readonly spaced: boolean
  /** The character spacing between this and the glyph before it, or -1 if the file has a blank there. */
  readonly tracking: number
}

// There is no ligature of an alef before a lam. Some files give the letters of lam-alef as they stand, from the left.
const turnedLamAlef = /^([\u0622\u0623\u0625\u0627])\u0644$/

const isOfBothDirections = (text: string): boolean => hasRightToLeft(text) && /[A-Za-z\u00c0-\u024f]/.test(text)

/** In the order of the file, and so from left to right. */
export const glyphsOf = ({ text, left, right, baseline, size, spaced, glyphs }: Fragment): Array<Glyph> => {
  if (glyphs === undefined) return [{ text, left, right, baseline, size, spaced, tracking: spaced ? -1 : 0 }]
  const { pieces, places, scale } = glyphs
  const found: Array<Glyph> = []
  let index = 0
  let space = spaced
  for (const piece of pieces) {
    if (piece === " ") {
      space = true
      continue
    }
    const start = places[index] ?? 0
    const end = places[index + 1] ?? start
    const tracking = places[index + 2] ?? 0
    index += 3
    const raw = cleanText(piece)
    const own = raw.trim().replace(turnedLamAlef, "\u0644$1")
    if (own === "") {
      space ||= raw !== ""
      continue
    }
    const glyph = {
      text: own,
      left: left + start * scale,
      right: left + end * scale,
      baseline,
      size,
      spaced: space || raw.startsWith(" "),
      tracking: tracking < 0 ? -1 : tracking * Math.abs(scale)
    }
    if (own.length > 2 && isOfBothDirections(own)) {
      // A glyph that stands for words of two directions has no order of its own.
      for (const [word, text] of own.split(" ").entries()) {
        found.push(word === 0 ? { ...glyph, text } : { ...glyph, text, left: glyph.right, spaced: true, tracking: -1 })
      }
    } else {
      found.push(glyph)
    }
    space = raw.endsWith(" ")
  }
  return found
}

/** Whether a glyph of the run stands on the one before it. */
export const standOnEachOther = ({ places, scale }: GlyphPlaces, tolerance: number): boolean => {
  for (let index = 3; index < places.length; index += 3) {
    if (((places[index] ?? 0) - (places[index - 2] ?? 0)) * scale < -tolerance) return true
  }
  return false
}

/** The part of a fragment that has the glyphs `from` to `until` of all its `glyphs`. */
export const sliceOf = (fragment: Fragment, glyphs: ReadonlyArray<Glyph>, from: number, until: number): Fragment => {
  const own = glyphs.slice(from, until)
  const first = own[0]
  if (first === undefined || fragment.glyphs === undefined) return fragment
  const { left, spaced } = first
  const pieces = own.flatMap((glyph, index) => (glyph.spaced && index > 0 ? [" ", glyph.text] : [glyph.text]))
  const places = own.flatMap((glyph) => [glyph.left - left, glyph.right - left, glyph.tracking])
  return {
    ...fragment,
    text: pieces.join(""),
    left,
    right: own.at(-1)?.right ?? first.right,
    spaced,
    glyphs: { pieces, places, scale: 1 }
  }
}
