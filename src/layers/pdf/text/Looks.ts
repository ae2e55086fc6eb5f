// How text looks, as one number: bits for the weight, the slant and the kind of its font, and above them why it cannot
// be seen. One number is quick to compare, and most pages have many thousand pieces of text.
import type { HiddenBy } from "../../../domain/document/PageLayout.ts"

export const bold = 1
export const italic = 2
export const mono = 4
/** The letters and signs of formulas. */
export const math = 8

const reasons: ReadonlyArray<HiddenBy | undefined> = [undefined, "invisible", "colour", "off-page", "tiny"]
const firstReason = 16

export const hiddenLook = (reason: HiddenBy): number => reasons.indexOf(reason) * firstReason
export const hiddenBy = (look: number): HiddenBy | undefined => reasons[Math.floor(look / firstReason)]

/** A font as pdf.js reports it: see `patches/Drawing.ts`. `flags` are those of its descriptor. */
export interface FontStyle {
  readonly name?: unknown
  readonly fontFamily?: unknown
  readonly flags?: unknown
  readonly weight?: unknown
  readonly italicAngle?: unknown
}

const fixedPitch = 1
const slanted = 1 << 6
const forceBold = 1 << 18
const boldWeight = 600

// Names are put together from words, "Roboto-BoldItalic", but a family may be called "Boldoni".
const boldName =
  /bold(?!on)|black(?!adder|let)|heavy|demi(?!ng)|extrab|[-_,](bd|sb|b|bi|xb|blk|medi|medibd)(mt|it|ital)?$|^(cmbx|cmb|sfbx|ecbx|lmbx)\w*\d|-(sc)?bx\d|cmssbx/i
const lighterName = /semilight|demilight|regular$/i
const italicName = /ital|obli|slant|[-_,](it|i|bi|bdit)$|kursiv|^(cmti|cmmi|cmsl|cmbxti|cmitt|sfti|ecti|lmri)\w*\d/i
const monoName =
  /mono(?!type|gram)|courier|consol|typewriter|menlo|inconsolata|sourcecode|fixed|^(cmtt|cmitt|cmsltt|sftt|ectt|lmtt)\w*\d|lucidacons/i

const mathName = /^(cm(mi|sy|ex|bsy)|ms[ab]m|eu[fsr]m|lmmath|rsfs|stixmath|pazomath)|math|symbol(?!a)|mtmi|mtsy|mtex/i

const subsetTag = /^[A-Z]{6}\+/

export const lookOfFont = (font: FontStyle): number => {
  const name = typeof font.name === "string" ? font.name.replace(subsetTag, "") : ""
  const flags = typeof font.flags === "number" ? font.flags : 0
  const isBold =
    (boldName.test(name) && !lighterName.test(name)) ||
    (typeof font.weight === "number" && font.weight >= boldWeight) ||
    (flags & forceBold) !== 0
  const isItalic =
    italicName.test(name) ||
    (flags & slanted) !== 0 ||
    (typeof font.italicAngle === "number" && Math.abs(font.italicAngle) >= 4)
  const isMono = (flags & fixedPitch) !== 0 || font.fontFamily === "monospace" || monoName.test(name)
  return (isBold ? bold : 0) | (isItalic ? italic : 0) | (isMono ? mono : 0) | (mathName.test(name) ? math : 0)
}
