// Which characters of a text Markdown would take for structure. Only these get a backslash, so the text stays readable.

/** Where a text stands: at the start of a line, after the mark of a heading, or in a cell of a table of pipes. */
export type Place = "block" | "heading" | "cell"

/** One that begins a block when it is first in its line; the group named `at` is what is to be escaped. */
const blockStarts: ReadonlyArray<RegExp> = [
  /^(?<at>#)#{0,5}(?:\s|$)/d,
  /^(?<at>>)/d,
  /^(?<at>[-+*])(?:\s|$)/d,
  /^\d{1,9}(?<at>[.)])(?:\s|$)/d,
  /^(?<at>`)``/d,
  /^(?<at>~)~~/d,
  /^(?<at>[-_*])\s*(?:[-_*]\s*){2,}$/d,
  /^(?<at>[-=])[-=]*\s*$/d,
  /^(?<at>\[)[^\]]*\]:/d,
  /^(?<at>\[)[ xX]\](?:\s|$)/d
]

const headingEnd = /(?:^|\s)(?<at>#)#*\s*$/d

const punctuation = /[!-/:-@[-`{-~]/
const isBlank = (character: string): boolean => character === "" || /\s/.test(character)
const isMark = (character: string): boolean => /[\p{P}\p{S}]/u.test(character)
const isLetter = (character: string): boolean => !isBlank(character) && !isMark(character)

/** Whether a run of `*`, `_` or `~` between these two may open or close emphasis. */
const mayEmphasize = (mark: string, before: string, after: string): boolean => {
  if (mark === "_" && isLetter(before) && isLetter(after)) return false
  return !(isBlank(before) && isBlank(after))
}

const mayBeEntity = /^&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});/

const found = (pattern: RegExp, text: string): ReadonlyArray<number> => {
  const at = pattern.exec(text)?.indices?.groups?.["at"]
  return at === undefined ? [] : [at[0]]
}

/** Runs of marks that may be paired with another: a single one of its kind is only a sign. */
const pairedMarks = (text: string, hasMarkers: boolean): ReadonlyArray<number> => {
  const byKind = new Map<string, Array<number>>()
  for (const match of text.matchAll(/\*+|_+|~+|`+/g)) {
    const [run] = match
    const kind = run.slice(0, 1)
    const before = text.slice(match.index - 1, match.index)
    const after = text.slice(match.index + run.length, match.index + run.length + 1)
    if (kind !== "`" && !mayEmphasize(kind, before, after)) continue
    const places = byKind.get(kind) ?? []
    places.push(...Array.from(run, (_, offset) => match.index + offset))
    byKind.set(kind, places)
  }
  return [...byKind.values()].flatMap((places) => (places.length > 1 || hasMarkers ? places : []))
}

const single = (text: string, at: number, place: Place): boolean => {
  const next = text.slice(at + 1, at + 2)
  switch (text[at]) {
    case "\\":
      return punctuation.test(next)
    case "<":
      return /[A-Za-z/!?]/.test(next)
    case "&":
      return mayBeEntity.test(text.slice(at, at + 34))
    case "]":
      return next === "("
    case "|":
      return place === "cell"
    default:
      return false
  }
}

/**
 * The positions that need a backslash, in a text that is one line. `hasMarkers`: emphasis or links will be written around parts
 * of it, so no sign of the text may be paired with theirs.
 */
export const escapedPositions = (text: string, place: Place, hasMarkers = false): ReadonlySet<number> => {
  const positions = new Set(pairedMarks(text, hasMarkers))
  for (const { index } of text.matchAll(/[\\<&\]|]/g)) if (single(text, index, place)) positions.add(index)
  if (place === "block") for (const start of blockStarts) for (const at of found(start, text)) positions.add(at)
  if (place === "heading") for (const at of found(headingEnd, text)) positions.add(at)
  return positions
}

/** The text with backslashes. */
export const escapeMarkdown = (text: string, place: Place): string => {
  const positions = escapedPositions(text, place)
  if (positions.size === 0) return text
  return Array.from({ length: text.length }, (_, at) => (positions.has(at) ? `\\${text[at]}` : text[at])).join("")
}
