// Text that is printed more than once in nearly the same place, to look bold or to throw a shadow, is text once. The copy
// may be a whole block, a line, a word, or each letter right after its original; pdf.js then joins a copy with the letter
// that follows it, so what is compared is glyphs.
import type { Fragment } from "../Fragment.ts"
import type { Glyph } from "../Glyphs.ts"
import { glyphsOf, sliceOf, standOnEachOther } from "../Glyphs.ts"

// In parts of the font size. Kerning draws letters nearer to each other than they are wide, but not as near as this.
const kerning = 0.1
const nearly = 0.25
const cellWidth = 0.15
// In parts of the width of a letter: a doubled letter stands its whole width further.
const nearlyOfWidth = 0.7
// At least one glyph in so many is a copy, if copies lie on the text of their own run.
const leastCopies = 3
const cellsApart = Math.ceil(nearly / cellWidth)

// The search for one string is bounded, so that a page with 100,000 full stops costs no more than it should.
const longestMemory = 32
const rowsInBand = 8
const bandHeight = 16

interface Box {
  readonly left: number
  readonly right: number
  readonly baseline: number
  readonly size: number
}

const isCopy = (one: Box, other: Box): boolean => {
  const dy = nearly * other.size
  const dx = Math.min(dy, nearlyOfWidth * (other.right - other.left))
  return (
    Math.abs(one.left - other.left) <= dx &&
    Math.abs(one.right - other.right) <= dy &&
    Math.abs(one.baseline - other.baseline) <= dy
  )
}

/** The fragments of one baseline, and once two of them overlap, their glyphs. */
class Row {
  readonly baseline: number
  readonly #size: number
  #left = Infinity
  #right = -Infinity
  readonly #fragments: Array<Fragment> = []
  #glyphs: Map<string, Glyph> | undefined

  constructor({ baseline, size }: Fragment) {
    this.baseline = baseline
    this.#size = size
  }

  /** Adds the fragment, and returns what of it is no copy. */
  add(fragment: Fragment): ReadonlyArray<Fragment> {
    const tolerance = kerning * fragment.size
    const overlaps = fragment.left < this.#right - tolerance && fragment.right > this.#left + tolerance
    if (fragment.left < this.#left) this.#left = fragment.left
    if (fragment.right > this.#right) this.#right = fragment.right
    if (
      this.#glyphs === undefined &&
      !overlaps &&
      (fragment.glyphs === undefined || !standOnEachOther(fragment.glyphs, tolerance))
    ) {
      this.#fragments.push(fragment)
      return [fragment]
    }
    if (this.#glyphs === undefined) {
      this.#glyphs = new Map()
      for (const earlier of this.#fragments) for (const glyph of glyphsOf(earlier)) this.#keep(glyph)
      this.#fragments.length = 0
    }
    const glyphs = glyphsOf(fragment)
    const kept = glyphs.map((glyph) => this.#keep(glyph))
    const copies = kept.filter((isKept) => !isKept).length
    // Two letters that are set very close are no copies: of copies there are many, or they lie on other text.
    const few = !overlaps && copies * leastCopies < glyphs.length
    return copies === 0 || few ? [fragment] : withoutCopies(fragment, glyphs, kept)
  }

  /** Whether the glyph is no copy of an earlier one. */
  #keep(glyph: Glyph): boolean {
    const glyphs = this.#glyphs
    if (glyphs === undefined) return true
    const cell = Math.round(glyph.left / (cellWidth * this.#size))
    for (let near = cell - cellsApart; near <= cell + cellsApart; near++) {
      const other = glyphs.get(`${near} ${glyph.text}`)
      if (other !== undefined && isCopy(other, glyph)) return false
    }
    glyphs.set(`${cell} ${glyph.text}`, glyph)
    return true
  }
}

/** The pieces of the fragment between the copies in it. */
const withoutCopies = (
  fragment: Fragment,
  glyphs: ReadonlyArray<Glyph>,
  kept: ReadonlyArray<boolean>
): ReadonlyArray<Fragment> => {
  const pieces: Array<Fragment> = []
  for (let from = 0; from < glyphs.length; from++) {
    if (kept[from] !== true) continue
    let until = from + 1
    while (kept[until] === true) until++
    const piece = sliceOf(fragment, glyphs, from, until)
    // What was before a copy is not before this.
    pieces.push(from === 0 ? piece : { ...piece, spaced: false })
    from = until
  }
  return pieces
}

export class Overprints {
  readonly #last = new Map<string, number>()
  readonly #before: Array<number> = []
  readonly #fragments: Array<Fragment>
  readonly #bands = new Map<number, Array<Row>>()
  #lastRow: Row | undefined

  constructor(fragments: Array<Fragment>) {
    this.#fragments = fragments
  }

  /** Adds the parts of the fragment that are not there already; answers whether there were any. */
  add(fragment: Fragment): boolean {
    const last = this.#last.get(fragment.text) ?? -1
    for (let index = last, hops = 0; index >= 0 && hops < longestMemory; hops++) {
      const other = this.#fragments[index]
      if (other !== undefined && isCopy(other, fragment)) return false
      index = this.#before[index] ?? -1
    }
    const added = this.#rowOf(fragment).add(fragment)
    for (const piece of added) {
      this.#before.push(piece === fragment ? last : (this.#last.get(piece.text) ?? -1))
      this.#last.set(piece.text, this.#fragments.length)
      this.#fragments.push(piece)
    }
    return added.length > 0
  }

  #rowOf(fragment: Fragment): Row {
    const { baseline, size } = fragment
    const near = nearly * size
    const last = this.#lastRow
    if (last !== undefined && Math.abs(last.baseline - baseline) <= near) return last
    const band = Math.floor(baseline / bandHeight)
    const first = Math.max(band - 1, Math.floor((baseline - near) / bandHeight))
    const final = Math.min(band + 1, Math.floor((baseline + near) / bandHeight))
    for (let at = first; at <= final; at++) {
      const rows = this.#bands.get(at)
      if (rows === undefined) continue
      for (let index = rows.length - 1; index >= 0 && index >= rows.length - rowsInBand; index--) {
        const row = rows[index]
        if (row !== undefined && Math.abs(row.baseline - baseline) <= near) {
          this.#lastRow = row
          return row
        }
      }
    }
    const row = new Row(fragment)
    this.#lastRow = row
    const rows = this.#bands.get(band)
    if (rows === undefined) this.#bands.set(band, [row])
    else rows.push(row)
    return row
  }
}
