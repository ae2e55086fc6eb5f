// The lines of a block as one text: line-end hyphens are joined, and lines follow each other with a space where the script has one.
import type { LayoutLine, TextSpan } from "../document/PageLayout.ts"
import { type Compounds, noCompounds } from "./RenderOptions.ts"

/** A part of a text in one style. The texts of the runs, one after the other, are the text of the block. */
export interface TextRun {
  readonly text: string
  readonly bold: boolean
  readonly italic: boolean
  readonly mono: boolean
  readonly raised: boolean
  readonly link: string | undefined
}

/** Scripts that are written without spaces, with their punctuation and full-width forms. */
const unspaced =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\u3000-\\u303f\\u30fb\\u30fc\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff3d\\uff5e"
const unspacedEnd = new RegExp(`[${unspaced}]$`, "u")
const unspacedStart = new RegExp(`^[${unspaced}]`, "u")

const lastWord = /[\p{L}\p{M}]+$/u
const firstWord = /^[\p{L}\p{M}]+/u

/** Words after which a hyphen at the end of a line stands for the rest of a word, as in "pre- and post-war". */
const conjunctions: ReadonlySet<string> = new Set([
  "and",
  "or",
  "to",
  "und",
  "oder",
  "bis",
  "et",
  "ou",
  "y",
  "o",
  "e",
  "en",
  "of"
])

const isAddress = /(?:https?:\/\/|www\.)\S*[-/_=&?.]$/i

/** How the text goes on after a line: without so many characters of its end, and with what between. */
interface Joint {
  readonly cut: number
  readonly between: "" | " "
}

const plain: Joint = { cut: 0, between: " " }
const close: Joint = { cut: 0, between: "" }

const afterHyphen = (before: string, after: string, compounds: Compounds): Joint => {
  const start = lastWord.exec(before.slice(0, -1))?.[0]
  const end = firstWord.exec(after)?.[0]
  if (start === undefined) return /[\p{N}\p{P}]-$/u.test(before) && /^[\p{L}\p{N}]/u.test(after) ? close : plain
  if (end === undefined) return /^\p{N}/u.test(after) ? close : plain
  if (conjunctions.has(end)) return plain
  const isWord = end === end.toLowerCase() && !compounds.has(`${start}-${end}`.toLowerCase())
  return isWord ? { cut: 1, between: "" } : close
}

const jointOf = (before: string, after: string, compounds: Compounds): Joint => {
  if (before.endsWith("\u00ad")) return { cut: 1, between: "" }
  if (isAddress.test(before.slice(-2_000)) && /^[a-z0-9]/.test(after)) return close
  if (/[-\u2010]$/.test(before)) return afterHyphen(before.slice(-100), after, compounds)
  if (/\S[\u2014]$/.test(before)) return close
  return unspacedEnd.test(before) && unspacedStart.test(after) ? close : plain
}

const sameStyle = (a: Omit<TextRun, "text">, b: Omit<TextRun, "text">): boolean =>
  a.bold === b.bold && a.italic === b.italic && a.mono === b.mono && a.raised === b.raised && a.link === b.link

const styleOf = ({ bold, italic, link, mono, raised }: TextSpan): Omit<TextRun, "text"> => ({
  bold: bold === true,
  italic: italic === true,
  mono: mono === true,
  raised: raised === true,
  link
})

const noStyle: Omit<TextRun, "text"> = { bold: false, italic: false, mono: false, raised: false, link: undefined }

/** Appends, and merges with the last run where the style is the same or there are only blanks. */
const append = (runs: Array<TextRun>, text: string, style: Omit<TextRun, "text">): void => {
  if (text === "") return
  const last = runs.at(-1)
  if (last !== undefined && (sameStyle(last, style) || (text.trim() === "" && last.link === undefined))) {
    runs[runs.length - 1] = { ...last, text: last.text + text }
  } else runs.push({ text, ...style })
}

const cutEnd = (runs: Array<TextRun>, count: number): void => {
  const last = runs.at(-1)
  if (count > 0 && last !== undefined) runs[runs.length - 1] = { ...last, text: last.text.slice(0, -count) }
}

/** An address that is its own link goes on in the next line without a blank, wherever it was broken. */
const isOneAddress = (last: TextRun | undefined, next: TextSpan): boolean =>
  last?.link !== undefined && last.link === next.link && /^(?:https?:\/\/|www\.)\S*$/i.test(last.text)

const blanks = /[\s\u00a0]+/g

interface TidySpan {
  text: string
  readonly span: TextSpan
}

/** The spans of a line with single blanks, and none at the ends of the line. */
const tidySpans = (line: LayoutLine): ReadonlyArray<TidySpan> => {
  const tidy: Array<TidySpan> = []
  let endsBlank = true
  for (const span of line.spans) {
    const single = span.text.replace(blanks, " ")
    const text: string = endsBlank && single.startsWith(" ") ? single.slice(1) : single
    if (text === "") continue
    endsBlank = text.endsWith(" ")
    tidy.push({ text, span })
  }
  for (let last = tidy.at(-1); last !== undefined; last = tidy.at(-1)) {
    last.text = last.text.trimEnd()
    if (last.text !== "") break
    tidy.pop()
  }
  return tidy
}

/** The lines as one text. */
export const runsOf = (
  lines: ReadonlyArray<LayoutLine>,
  compounds: Compounds = noCompounds
): ReadonlyArray<TextRun> => {
  const runs: Array<TextRun> = []
  let before = ""
  for (const line of lines) {
    const spans = tidySpans(line)
    const text = spans.map((each) => each.text).join("")
    if (text === "") continue
    const [first] = spans
    if (before !== "" && first !== undefined) {
      const last = runs.at(-1)
      const { between, cut } = isOneAddress(last, first.span) ? close : jointOf(before, text, compounds)
      cutEnd(runs, cut)
      // A blank between two links belongs to neither.
      const isWithin = last !== undefined && (last.link === undefined || last.link === first.span.link)
      append(runs, between, isWithin ? (runs.at(-1) ?? noStyle) : noStyle)
    }
    for (const { span, text } of spans) append(runs, text, styleOf(span))
    before = text
  }
  return runs
}

export const textOfRuns = (runs: ReadonlyArray<TextRun>): string => runs.map(({ text }) => text).join("")

/** The lines as one plain text. */
export const joinedText = (lines: ReadonlyArray<LayoutLine>, compounds: Compounds = noCompounds): string =>
  textOfRuns(runsOf(lines, compounds))
