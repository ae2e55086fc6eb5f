// From what pdf.js reports to pieces of text in a frame in which they all read from left to right and top to bottom.
import { cleanText } from "./Characters.ts"

/** A run of text as pdf.js reports it: in the user space of the page, `transform` taking the unit square to the glyphs. */
export interface TextRun {
  readonly str: string
  readonly dir: string
  readonly transform: ReadonlyArray<number>
  readonly width: number
  readonly height: number
}

/** `transform` takes user space to the page as displayed: origin top left, y downwards. */
export interface Viewport {
  readonly width: number
  readonly height: number
  readonly transform: ReadonlyArray<number>
}

/** Coordinates are those of the fragment's frame. `left` to `right` along the baseline; `size` is that of the font. */
export interface Fragment {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly baseline: number
  readonly size: number
  readonly rightToLeft: boolean
  /** The file itself has white space between this and the fragment before it. */
  readonly spaced: boolean
}

/** All text of one direction. (`ux`, `uy`) is the direction of its baselines on the displayed page. */
export interface Frame {
  readonly ux: number
  readonly uy: number
  readonly fragments: Array<Fragment>
  characters: number
}

const ascent = 0.8

// Overprinted text repeats a string in nearly the same place, usually at once or as a whole block. How far back one
// string is looked for is bounded, so that a page with 100,000 full stops costs no more than it should.
const longestMemory = 32

class Overprints {
  readonly #last = new Map<string, number>()
  readonly #before: Array<number> = []
  readonly #fragments: Array<Fragment>

  constructor(fragments: Array<Fragment>) {
    this.#fragments = fragments
  }

  /** Adds the fragment unless it is there already. */
  add(fragment: Fragment): boolean {
    let index = this.#last.get(fragment.text) ?? -1
    const last = index
    const dy = 0.25 * fragment.size
    const dx = Math.min(dy, 0.5 * (fragment.right - fragment.left))
    for (let hops = 0; index >= 0 && hops < longestMemory; hops++) {
      const other = this.#fragments[index]
      if (
        other !== undefined &&
        Math.abs(other.left - fragment.left) <= dx &&
        Math.abs(other.right - fragment.right) <= dy &&
        Math.abs(other.baseline - fragment.baseline) <= dy
      ) {
        return false
      }
      index = this.#before[index] ?? -1
    }
    this.#before.push(last)
    this.#last.set(fragment.text, this.#fragments.length)
    this.#fragments.push(fragment)
    return true
  }
}

const isRun = (item: object): item is TextRun => "str" in item && "transform" in item

/** The frames of a page, that with the most text first. */
export const toFrames = (items: ReadonlyArray<object>, viewport: Viewport): ReadonlyArray<Frame> => {
  const [va = 1, vb = 0, vc = 0, vd = -1, ve = 0, vf = 0] = viewport.transform
  const unit = Math.hypot(va, vb)
  const frames = new Map<number, { readonly frame: Frame; readonly overprints: Overprints }>()
  let spaced = false
  for (const item of items) {
    if (!isRun(item)) continue
    const raw = cleanText(item.str)
    const text = raw.trim()
    if (text === "") {
      spaced ||= raw !== ""
      continue
    }
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = item.transform
    const vertical = item.dir === "ttb"
    // Vertical writing runs down the glyphs' own y axis.
    const dx = vertical ? -(va * c + vc * d) : va * a + vc * b
    const dy = vertical ? -(vb * c + vd * d) : vb * a + vd * b
    const x = va * e + vc * f + ve
    const y = vb * e + vd * f + vf
    const extent = (vertical ? item.height : item.width) * unit
    const size = (vertical ? item.width : item.height) * unit || Math.hypot(dx, dy) || 1
    if (!Number.isFinite(x + y + extent + size + dx + dy)) continue
    const angle = Math.round((Math.atan2(dy, dx) * 180) / Math.PI)
    const key = angle === -180 ? 180 : angle
    let entry = frames.get(key)
    if (entry === undefined) {
      const radians = (key * Math.PI) / 180
      const exact = key % 90 === 0
      const ux = exact ? Math.round(Math.cos(radians)) : Math.cos(radians)
      const uy = exact ? Math.round(Math.sin(radians)) : Math.sin(radians)
      const frame: Frame = { ux, uy, fragments: [], characters: 0 }
      entry = { frame, overprints: new Overprints(frame.fragments) }
      frames.set(key, entry)
    }
    const { frame, overprints } = entry
    const left = x * frame.ux + y * frame.uy
    const added = overprints.add({
      text,
      left,
      right: left + extent,
      // The origin of vertical writing lies in the middle of the glyphs.
      baseline: y * frame.ux - x * frame.uy + (vertical ? (ascent - 0.5) * size : 0),
      size,
      rightToLeft: item.dir === "rtl",
      spaced: spaced || raw.startsWith(" ")
    })
    if (added) frame.characters += text.length
    spaced = raw.endsWith(" ")
  }
  return [...frames.values()].map(({ frame }) => frame).sort((one, other) => other.characters - one.characters)
}
