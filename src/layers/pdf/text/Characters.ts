// What single characters mean for the joining of text.

// Controls, marks of direction, zero-width spaces and halves of surrogate pairs. Joiners stay: Persian and Indic need them.
const suspicious =
  /[\u0000-\u001f\u007f-\u00a0\u00b5\u037e\u0eb3\u2000-\u200b\u200e\u200f\u2028-\u202f\u2060-\u2069\u2126\ud800-\udfff\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc\ufeff\ufffe\uffff]/
const invisible =
  /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]+/g
const blanks = /[\t\n\v\f\r]+/g
// Spaces of special width, signs that stand for a letter, Latin ligatures, Hebrew and Arabic presentation forms.
const variants = /[\u00a0\u00b5\u037e\u0eb3\u2000-\u200a\u202f\u2126\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc]+/g
// Unicode writes an Arabic vowel mark that stands alone as a space that carries it. On a page it stands at its letter.
const carrier = / (?=[\u064b-\u0652\u0670])/g

/**
 * Without what cannot be seen or stored, and with ligatures and the presentation forms of Hebrew and Arabic as letters. Hyphens and
 * everything else stay as they are. Text must come in the order of reading: the letters of a ligature do.
 */
export const cleanText = (text: string): string =>
  suspicious.test(text)
    ? text
        .replace(blanks, " ")
        .replace(invisible, "")
        .replace(variants, (match) => match.normalize("NFKC").replace(carrier, ""))
        .toWellFormed()
    : text

/** Scripts written without spaces between words. Hangul is not one of them. */
export const isUnspaced = (code: number): boolean =>
  code >= 0x2e80 &&
  ((code <= 0x30ff && code !== 0x3000) ||
    (code >= 0x31c0 && code <= 0x9fff) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe4f) ||
    (code >= 0xff00 && code <= 0xffef) ||
    (code >= 0xd840 && code <= 0xd88d) ||
    (code >= 0xdc00 && code <= 0xdfff))

const unspacedPair =
  /[\u2e80-\u2fff\u3001-\u30ff\u31c0-\u9fff\uf900-\ufaff\uff01-\uffef]\s?(?=[\u2e80-\u2fff\u3001-\u30ff\u31c0-\u9fff\uf900-\ufaff\uff01-\uffef])/g
const spacedPair =
  /([\u2e80-\u2fff\u3001-\u30ff\u31c0-\u9fff\uf900-\ufaff\uff01-\uffef]) (?=[\u2e80-\u2fff\u3001-\u30ff\u31c0-\u9fff\uf900-\ufaff\uff01-\uffef])/g

/** Takes out the spaces that wide tracking seems to put between ideographs: those where most of them are apart. */
export const closeTracking = (text: string): string => {
  const pairs = text.match(unspacedPair)
  if (pairs === null) return text
  const apart = pairs.filter((pair) => pair.endsWith(" ")).length
  return apart > 0 && apart * 2 >= pairs.length ? text.replace(spacedPair, "$1") : text
}

/** Hebrew, Arabic and their neighbours, as letters or as presentation forms. */
export const isRightToLeft = (code: number): boolean =>
  (code >= 0x0590 && code <= 0x08ff) || (code >= 0xfb1d && code <= 0xfdff) || (code >= 0xfe70 && code <= 0xfefc)

const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/

export const hasRightToLeft = (text: string): boolean => rightToLeft.test(text)

const spacedLeader = /([.·…_])(?: ?\1){4,}/g

/** The dots that lead from an entry to its page number, without the spaces between them. */
export const closeLeaders = (text: string): string =>
  text.includes(". .") || text.includes("· ·") || text.includes("_ _") || text.includes("… …")
    ? text.replace(spacedLeader, (dots) => dots.replaceAll(" ", ""))
    : text
