// From the order in which glyphs stand on a line, from left to right, to the order in which they are read. This is the
// Unicode bidirectional algorithm the other way round. More than one text may look alike: then the one is chosen that
// keeps words and numbers of one script together.
import { isRightToLeft } from "../Characters.ts"

type Kind = "left" | "right" | "number" | "arabicNumber" | "separator" | "sign" | "mark" | "other"

const arabicDigit = /^[\u0660-\u0669\u066b\u066c\u06f0-\u06f9]/
const commonSeparator = /^[,./:\u060c]$/
const currency = /^[#$%\u00a2-\u00a5\u00b0\u2030\u20a0-\u20cf]$/
const joining = /^[\u200c\u200d\p{M}]+$/u
const letter = /\p{L}/u

const kindOf = (text: string): Kind => {
  const code = text.charCodeAt(0)
  if (code >= 0x30 && code <= 0x39) return "number"
  if (arabicDigit.test(text)) return "arabicNumber"
  if (joining.test(text)) return "mark"
  for (let index = 0; index < text.length; index++) if (isRightToLeft(text.charCodeAt(index))) return "right"
  if (letter.test(text)) return "left"
  if (commonSeparator.test(text)) return "separator"
  if (text === "+" || text === "-" || text === "\u2212") return "sign"
  return "other"
}

const isArabic = (text: string): boolean => /[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc]/.test(text)

const pairs = ["()", "[]", "{}", "<>", "«»", "‹›", "⟨⟩", "〈〉", "《》", "「」", "【】", "≤≥"]
const mirrored = new Map(pairs.flatMap(([one = "", other = ""]) => [[one, other] as const, [other, one] as const]))
const openers = new Map("([{«‹⟨〈《「【".split("").map((opener) => [mirrored.get(opener) ?? "", opener]))
const opening = new Set(openers.values())

interface Unit {
  readonly text: string
  readonly kind: Kind
  /** The place of the bracket that belongs to this one, by their shapes. */
  partner: number
}

const toUnits = (texts: ReadonlyArray<string>): ReadonlyArray<Unit> => {
  const units = texts.map((text): Unit => ({ text, kind: kindOf(text), partner: -1 }))
  const open: Array<number> = []
  units.forEach((unit, index) => {
    if (opening.has(unit.text)) open.push(index)
    const opener = openers.get(unit.text)
    const last = open.at(-1)
    const partner = last === undefined ? undefined : units[last]
    if (opener === undefined || last === undefined || partner?.text !== opener) return
    open.pop()
    partner.partner = index
    unit.partner = last
  })
  return units
}

/** `from` to `until`, with brackets at their ends whose partners are between. */
const withBrackets = (
  units: ReadonlyArray<Unit>,
  from: number,
  until: number,
  first: number,
  end: number
): readonly [number, number] => {
  for (;;) {
    const before = units[from - 1]?.partner ?? -1
    const after = units[until]?.partner ?? -1
    if (from > first && before >= from && before < until) from--
    else if (until < end && after >= from && after < until) until++
    else return [from, until]
  }
}

const isNumber = (unit: Unit | undefined): boolean => unit?.kind === "number" || unit?.kind === "arabicNumber"

/** Where a number that starts at `from` ends. Signs that join European figures part Arabic ones. */
const numberEnd = (units: ReadonlyArray<Unit>, from: number, end: number, arabic: boolean): number => {
  let until = from + 1
  for (; until < end; until++) {
    const [unit, next] = [units[until], units[until + 1]]
    if (isNumber(unit) || unit?.kind === "mark") continue
    const joins = unit?.kind === "separator" || (unit?.kind === "sign" && !arabic && next?.kind === "number")
    if (!joins || until + 1 >= end || !isNumber(next)) break
  }
  return until
}

/** The stretches of what lies between two right-to-left letters that are read from left to right. */
const leftToRight = (
  units: ReadonlyArray<Unit>,
  start: number,
  end: number,
  arabic: boolean
): ReadonlyArray<readonly [number, number]> => {
  let first = -1
  let last = -1
  let latin = false
  for (let index = start; index < end; index++) {
    const kind = units[index]?.kind
    if (kind !== "left" && !isNumber(units[index])) continue
    if (first < 0) first = index
    last = index
    latin ||= kind === "left"
  }
  if (first < 0) return []
  // An accent follows its letter.
  while (latin && last + 1 < end && units[last + 1]?.kind === "mark") last++
  if (latin) return [withBrackets(units, first, last + 1, start, end)]
  const numbers: Array<readonly [number, number]> = []
  for (let index = first; index <= last; index++) {
    if (!isNumber(units[index])) continue
    const before = numbers.at(-1)?.[1] ?? start
    let from = index
    let until = numberEnd(units, index, end, arabic)
    while (!arabic && from > before && currency.test(units[from - 1]?.text ?? "")) from--
    while (!arabic && until < end && currency.test(units[until]?.text ?? "")) until++
    index = until - 1
    numbers.push([from, until])
  }
  return numbers
}

interface Read {
  readonly text: string
  /** The place of its glyph. */
  readonly at: number
  /** Stands right to left, so that a bracket looks like its counterpart. */
  readonly turned: boolean
}

/** `start` to `end` from right to left, but for the words and numbers of the other direction in it. */
const readLeftwards = (units: ReadonlyArray<Unit>, start: number, end: number, read: Array<Read>): void => {
  for (let index = end - 1; index >= start;) {
    const unit = units[index]
    if (unit === undefined) break
    if (unit.kind === "right") {
      read.push({ text: unit.text, at: index, turned: true })
      index--
      continue
    }
    let from = index
    while (from > start && units[from - 1]?.kind !== "right") from--
    const arabic = isArabic(units[index + 1]?.text ?? "")
    let at = index
    for (const [first, until] of leftToRight(units, from, index + 1, arabic).toReversed()) {
      for (; at >= until; at--) read.push({ text: units[at]?.text ?? "", at, turned: true })
      for (let own = first; own < until; own++) read.push({ text: units[own]?.text ?? "", at: own, turned: false })
      at = first - 1
    }
    for (; at >= from; at--) read.push({ text: units[at]?.text ?? "", at, turned: true })
    index = from - 1
  }
}

const readRightwards = (units: ReadonlyArray<Unit>, read: Array<Read>): void => {
  for (let index = 0; index < units.length;) {
    const unit = units[index]
    let last = -1
    let first = index
    for (let at = index; at < units.length && units[at]?.kind !== "left"; at++) {
      if (units[at]?.kind !== "right") continue
      if (last < 0) first = at
      last = at
    }
    if (unit === undefined) break
    if (last < 0) {
      for (; index < units.length && units[index]?.kind !== "left"; index++) {
        read.push({ text: units[index]?.text ?? "", at: index, turned: false })
      }
      for (; units[index]?.kind === "left"; index++)
        read.push({ text: units[index]?.text ?? "", at: index, turned: false })
      continue
    }
    // A mark stands before its letter, as it is read from the other side.
    while (first > index && units[first - 1]?.kind === "mark") first--
    const [from, until] = withBrackets(units, first, last + 1, index, units.length)
    for (; index < from; index++) read.push({ text: units[index]?.text ?? "", at: index, turned: false })
    readLeftwards(units, from, until, read)
    index = until
  }
}

const vowelMark = /^\p{M}+$/u

// Most files draw a vowel mark on the left of its letter, so that it is read after it. Where a word would begin with one,
// the file draws them on the right.
const afterLetters = (read: Array<Read>): Array<Read> => {
  const isMark = (index: number): boolean => read[index]?.turned === true && vowelMark.test(read[index].text)
  if (!read.some((_, index) => isMark(index) && (index === 0 || read[index - 1]?.text === " "))) return read
  const ordered: Array<Read> = []
  for (let index = 0; index < read.length; index++) {
    const from = index
    while (isMark(index)) index++
    ordered.push(...read.slice(index, index + 1), ...read.slice(from, index))
  }
  return ordered
}

/** How many brackets close one that is open, less those that do not. */
const enclosed = (read: ReadonlyArray<Read>, mirroring: boolean): number => {
  const open: Array<string> = []
  let score = 0
  for (const { text, turned } of read) {
    const shown = mirroring && turned ? (mirrored.get(text) ?? text) : text
    if (opening.has(shown)) open.push(shown)
    const opener = openers.get(shown)
    if (opener === undefined) continue
    if (open.at(-1) === opener) {
      open.pop()
      score++
    } else {
      score--
    }
  }
  return score
}

// A few names in Latin letters may well be longer than the Hebrew or Arabic around them. An address is longer still, but
// few lines of another language both begin and end in Hebrew or Arabic.
const readsLeftwards = (units: ReadonlyArray<Unit>): boolean => {
  let leftward = 0
  let rightward = 0
  let first: Kind | undefined
  let last: Kind | undefined
  for (const { text, kind } of units) {
    if (kind !== "left" && kind !== "right") continue
    if (kind === "right") leftward += text.length
    else rightward += text.length
    first ??= kind
    last = kind
  }
  const factor = first !== last ? 2 : first === "right" ? 6 : 1
  return factor * leftward > rightward
}

/** The text of one glyph or a space, and its place among those that were given. */
export interface ReadPiece {
  readonly text: string
  readonly at: number
}

/**
 * The text of glyphs that stand from left to right on a line, `" "` between words. Each text is the characters of one glyph, in
 * the order of reading.
 *
 * A glyph that encloses from the right looks like a bracket that opens on the left. Most fonts name it after its looks, some
 * after its meaning: brackets are turned unless only the other way they enclose something.
 */
export const inReadingOrder = (texts: ReadonlyArray<string>): ReadonlyArray<ReadPiece> => {
  const units = toUnits(texts)
  const drawn: Array<Read> = []
  if (readsLeftwards(units)) readLeftwards(units, 0, units.length, drawn)
  else readRightwards(units, drawn)
  const read = afterLetters(drawn)
  const mirroring = enclosed(read, true) >= enclosed(read, false)
  return read.map(({ text, at, turned }) => ({ text: mirroring && turned ? (mirrored.get(text) ?? text) : text, at }))
}
