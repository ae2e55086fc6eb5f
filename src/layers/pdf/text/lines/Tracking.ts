// Letters set apart for their looks: "R I N G  P H Y S I C S". Each gap is as wide as a space, so that a space is seen in
// each. Which of them part words is told by the file's blanks, by its character spacing, or by their widths.
import type { Glyph } from "../Glyphs.ts"

export interface PlacedGlyph extends Glyph {
  /** Whether a space is read before it. */
  space: boolean
}

// In parts of the font size.
const spaceGap = 0.1
const widestTracking = 1.5
const widestUniform = 0.9
const evenUniform = 0.06
const evenLetters = 0.12
const clearlyWider = 0.12

const fewestLetters = 4
const longFormula = 7

const letter = /\p{L}/u
const vowel = /[aeiouyàáâäåæèéêëìíîïòóôöøœùúûü]|[^\u0000-\u024f]/i

const singleLetters =
  /(?:^| )[^\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf] [^\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf](?: |$)/

/** Whether spaces are read between single letters or figures. Few lines have any. */
export const mayBeTracked = (text: string): boolean => singleLetters.test(text)

const gapBefore = (glyphs: ReadonlyArray<PlacedGlyph>, index: number): number => {
  const [before, glyph] = [glyphs[index - 1], glyphs[index]]
  return before === undefined || glyph === undefined ? 0 : (glyph.left - before.right) / glyph.size
}

// Some files set words apart by the character spacing of one letter: no neighbour of that gap has it.
const fewestSpaced = 4
const plain = /^[\p{L}\p{N}]+$/u

type Gap = "blank" | "spaced" | "other"

const kindOfGap = (glyphs: ReadonlyArray<PlacedGlyph>, index: number): Gap => {
  const glyph = glyphs[index]
  if (glyph === undefined) return "other"
  const { tracking, size } = glyph
  if (tracking === -1) return "blank"
  if (tracking <= 0 || tracking > widestTracking * size) return "other"
  return Math.abs(gapBefore(glyphs, index) - tracking / size) < spaceGap / 2 ? "spaced" : "other"
}

/** A gap that the character spacing of all letters around accounts for is none. */
const closeByCharacterSpacing = (glyphs: ReadonlyArray<PlacedGlyph>): void => {
  for (let index = 1; index < glyphs.length; index++) {
    if (kindOfGap(glyphs, index) === "other") continue
    let until = index + 1
    let spaced = kindOfGap(glyphs, index) === "spaced" ? 1 : 0
    for (let kind = kindOfGap(glyphs, until); kind !== "other"; kind = kindOfGap(glyphs, ++until)) {
      if (kind === "spaced") spaced++
    }
    // A letter that is joined to one outside belongs to a word whose letters are not set apart.
    const from = index > 1 && glyphs[index - 1]?.space === false ? index + 1 : index
    const end = glyphs[until]?.space === false ? until - 1 : until
    const isWhole = from === index && end === until
    const own = glyphs.slice(from - 1, end)
    if (spaced >= fewestSpaced || (isWhole && own.every(({ text }) => plain.test(text)))) {
      for (let at = from; at < end; at++) {
        const glyph = glyphs[at]
        if (glyph !== undefined && glyph.tracking !== -1) glyph.space = false
      }
    }
    index = until
  }
}

// "A B C D" heads columns or lists answers.
const isAlphabet = (texts: ReadonlyArray<string>): boolean => {
  const codes = texts.map((text) => text.codePointAt(0) ?? 0)
  const steps = codes.slice(1).map((code, index) => code - (codes[index] ?? 0))
  return steps.every((step) => step > 0) && steps.reduce((sum, step) => sum + step, 0) <= 3 * steps.length
}

// Variables of a formula stand apart, too, but there are few of them.
const isWord = (text: string): boolean =>
  vowel.test(text) && new Set(text).size >= 3 && (text.length >= longFormula || /^\p{Lu}(\P{Ll}+|\P{Lu}+)$/u.test(text))

/** The widest gap between letters of one word; wider ones part words. Undefined if they cannot be told apart. */
const widestLetterGap = (gaps: ReadonlyArray<number>): number | undefined => {
  const sorted = Float64Array.from(gaps).sort()
  const least = sorted[0] ?? 0
  for (let index = 1; index < sorted.length; index++) {
    const [before = 0, gap = 0] = [sorted[index - 1], sorted[index]]
    if (gap - before < clearlyWider) continue
    // Most words have two letters at least.
    return before - least <= evenLetters && 2 * index >= sorted.length && before <= widestTracking ? before : undefined
  }
  return undefined
}

const close = (glyphs: ReadonlyArray<PlacedGlyph>, from: number, until: number): void => {
  const own = glyphs.slice(from, until)
  const texts = own.map(({ text }) => text)
  const letters = texts.filter((text) => letter.test(text)).length
  if (letters < fewestLetters || letters < 0.6 * own.length || isAlphabet(texts)) return
  const gaps: Array<number> = []
  const blanks: Array<boolean> = []
  for (let index = from + 1; index < until; index++) {
    gaps.push(gapBefore(glyphs, index))
    blanks.push(glyphs[index]?.tracking === -1)
  }
  const unblank = gaps.filter((_, index) => blanks[index] !== true)
  const least = unblank.reduce((found, gap) => Math.min(found, gap), Infinity)
  const most = unblank.reduce((found, gap) => Math.max(found, gap), -Infinity)
  let widest: number | undefined
  if (unblank.length === gaps.length || unblank.length === 0) {
    widest = widestLetterGap(gaps)
    if (widest === undefined && unblank.length > 0 && most <= widestUniform && most - least <= evenUniform) {
      // A word of its own. Letters of different widths that stand in columns have even distances, and uneven gaps.
      if (letters >= 0.8 * own.length && isWord(texts.join(""))) widest = most
    }
  } else if (most - least <= evenLetters && most <= widestTracking) {
    widest = most
  }
  if (widest === undefined) return
  const mixed = unblank.length > 0 && unblank.length < gaps.length
  for (let index = from + 1; index < until; index++) {
    const glyph = glyphs[index]
    const isBlank = mixed && blanks[index - from - 1] === true
    if (glyph !== undefined && !isBlank && (gaps[index - from - 1] ?? Infinity) <= widest) glyph.space = false
  }
}

/** Takes away the spaces between letters that belong to one word. */
export const closeTrackedWords = (glyphs: ReadonlyArray<PlacedGlyph>): void => {
  closeByCharacterSpacing(glyphs)
  // Stretches of single letters with a space between each two of them, of one size on one baseline.
  let from = 0
  for (let index = 1; index <= glyphs.length; index++) {
    const [before, glyph] = [glyphs[index - 1], glyphs[index]]
    if (
      glyph?.space === true &&
      before !== undefined &&
      Math.abs(glyph.size - before.size) <= 0.1 * glyph.size &&
      Math.abs(glyph.baseline - before.baseline) <= 0.1 * glyph.size
    ) {
      continue
    }
    // The letter before one without a space is the first of a longer word.
    const until = glyph !== undefined && !glyph.space ? index - 1 : index
    if (until - from >= fewestLetters) close(glyphs, from, until)
    while (index < glyphs.length && glyphs[index]?.space === false) index++
    from = index
  }
}
