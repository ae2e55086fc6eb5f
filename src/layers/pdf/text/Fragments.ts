// From what pdf.js reports to pieces of text in a frame in which they all read from left to right and top to bottom.
import type { Bounds } from "./Bounds.ts"
import { cleanText, hasRightToLeft } from "./Characters.ts"
import type { Fragment, GlyphPlaces } from "./Fragment.ts"
import { Overprints } from "./fragments/Overprints.ts"
import { findUpright } from "./fragments/Upright.ts"

/** A run of text as pdf.js reports it: in the user space of the page, `transform` taking the unit square to the glyphs. */
export interface TextRun {
  readonly str: string
  readonly dir: string
  readonly transform: ReadonlyArray<number>
  readonly width: number
  readonly height: number
  /** Where its glyphs stand, if that is known: see `reportGlyphs`. */
  readonly glyphs?: ReadonlyArray<string> | undefined
  readonly places?: ReadonlyArray<number>
  readonly fontName?: string
  /** See `patches/Drawing.ts`. */
  readonly colour?: number
  readonly mode?: number
  readonly drawnBefore?: number
}

/** What is known of the looks of runs, beside the runs. `boxOf` measures a run on the displayed page: few need it. */
export type LookOf = (run: TextRun, size: number, boxOf: () => Bounds) => number

/** `transform` takes user space to the page as displayed: origin top left, y downwards. */
export interface Viewport {
  readonly width: number
  readonly height: number
  readonly transform: ReadonlyArray<number>
}

/** All text of one direction. (`ux`, `uy`) is the direction of its baselines on the displayed page. */
export interface Frame {
  readonly ux: number
  readonly uy: number
  fragments: ReadonlyArray<Fragment>
  characters: number
}

const ascent = 0.8

const isRun = (item: object): item is TextRun => "str" in item && "transform" in item

/** The beginning or end of a piece of tagged content, in which others may lie. */
interface Mark {
  readonly type: string
  readonly id?: string | null
}

const isMark = (item: object): item is Mark =>
  "type" in item && typeof item.type === "string" && item.type.includes("MarkedContent")

/** The innermost tag with a name, after this beginning or end. */
const tagAfter = ({ type, id }: Mark, tags: Array<string | undefined>): string | undefined => {
  if (type === "endMarkedContent") tags.pop()
  else tags.push(id ?? tags.at(-1))
  return tags.at(-1)
}

// A run of negative width starts at its right end.
const placesOf = ({ str, glyphs, places }: TextRun, unit: number): GlyphPlaces | undefined =>
  places === undefined
    ? undefined
    : { pieces: glyphs ?? str, places, scale: (places[places.length - 2] ?? 0) < 0 ? -unit : unit }

interface OpenFrame {
  readonly frame: Frame
  readonly overprints: Overprints
  /** The file itself calls some of its text vertical. */
  vertical: boolean
}

/** By the direction of their baselines in whole degrees. */
class Frames {
  readonly #frames = new Map<number, OpenFrame>()

  at(degrees: number): OpenFrame {
    const known = this.#frames.get(degrees)
    if (known !== undefined) return known
    const radians = (degrees * Math.PI) / 180
    const exact = degrees % 90 === 0
    const ux = exact ? Math.round(Math.cos(radians)) : Math.cos(radians)
    const uy = exact ? Math.round(Math.sin(radians)) : Math.sin(radians)
    const fragments: Array<Fragment> = []
    const frame: Frame = { ux, uy, fragments, characters: 0 }
    const opened: OpenFrame = { frame, overprints: new Overprints(fragments), vertical: false }
    this.#frames.set(degrees, opened)
    return opened
  }

  /** Moves upright columns to where the vertical text of their direction is. */
  turnUpright(): void {
    for (const [degrees, { frame, vertical }] of Array.from(this.#frames)) {
      const upright = vertical ? undefined : findUpright(frame.fragments, ascent)
      if (upright === undefined) continue
      const characters = upright.columns.reduce((sum, { text }) => sum + text.length, 0)
      frame.fragments = upright.rest
      frame.characters -= characters
      const turned = this.at(degrees > 90 ? degrees - 270 : degrees + 90).frame
      turned.fragments = [...turned.fragments, ...upright.columns]
      turned.characters += characters
    }
  }

  /** That with the most text first. */
  all(): ReadonlyArray<Frame> {
    return Array.from(this.#frames.values(), ({ frame }) => frame).sort(
      (one, other) => other.characters - one.characters
    )
  }
}

/** Around text from (`x`, `y`) on the displayed page: good enough to tell on what the text stands. */
const roughBox = ({ ux, uy }: Frame, x: number, y: number, extent: number, size: number): Bounds => {
  const alongX = x + extent * ux
  const alongY = y + extent * uy
  const upX = 0.5 * size * uy
  const upY = -0.5 * size * ux
  return {
    left: Math.min(x, alongX, x + upX, alongX + upX),
    right: Math.max(x, alongX, x + upX, alongX + upX),
    top: Math.min(y, alongY, y + upY, alongY + upY),
    bottom: Math.max(y, alongY, y + upY, alongY + upY)
  }
}

/** The frames of a page, that with the most text first. */
export const toFrames = (items: ReadonlyArray<object>, viewport: Viewport, lookOf?: LookOf): ReadonlyArray<Frame> => {
  const [va = 1, vb = 0, vc = 0, vd = -1, ve = 0, vf = 0] = viewport.transform
  const unit = Math.hypot(va, vb)
  const frames = new Frames()
  let spaced = false
  let order = 0
  const tags: Array<string | undefined> = []
  let tag: string | undefined
  for (const item of items) {
    if (!isRun(item)) {
      if (isMark(item)) tag = tagAfter(item, tags)
      continue
    }
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
    const opened = frames.at(angle === -180 ? 180 : angle)
    opened.vertical ||= vertical
    const { frame, overprints } = opened
    const left = x * frame.ux + y * frame.uy
    const look = lookOf === undefined ? 0 : lookOf(item, size, () => roughBox(frame, x, y, extent, size))
    const added = overprints.add({
      text,
      left,
      right: left + extent,
      // The origin of vertical writing lies in the middle of the glyphs.
      baseline: y * frame.ux - x * frame.uy + (vertical ? (ascent - 0.5) * size : 0),
      size,
      rightToLeft: item.dir === "rtl" || hasRightToLeft(item.str),
      spaced: spaced || raw.startsWith(" "),
      order: order++,
      glyphs: placesOf(item, unit),
      look,
      tag
    })
    if (added) frame.characters += text.length
    spaced = raw.endsWith(" ")
  }
  frames.turnUpright()
  return frames.all()
}
