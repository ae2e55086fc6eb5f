// What a text lacks: reported in headers and, on request, marked in the text.
import { type Document, isTerminal } from "../../../domain/document/Document.ts"
import type { Failure } from "../../../domain/Failure.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import { hasWarnings, type Warning } from "../../../domain/document/Warning.ts"

/** Pages from one number to another, both included. */
export type PageSpan = readonly [from: number, to: number]

/** The fields of a page that are needed to find gaps. */
type PageState = Pick<PageResult, "number" | "status" | "warnings">

interface Readable extends PageState {
  readonly text: string
  readonly error?: Failure | undefined
}

/** Whether a page may have text that is missing entirely: it failed, timed out or is scanned. */
const hasNoText = ({ status }: PageState): boolean => status !== "ok" && status !== "empty"

const add = (spans: Array<PageSpan>, from: number, to: number): void => {
  if (from > to) return
  const before = spans.at(-1)
  if (before?.[1] === from - 1) spans[spans.length - 1] = [before[0], to]
  else spans.push([from, to])
}

/** Collects the gaps of a text from pages in order. */
export class Gaps {
  /** Pages without text. */
  readonly missing: Array<PageSpan> = []
  /** Pages with warnings: something of their text may be missing or wrong. */
  readonly incomplete: Array<PageSpan> = []
  #last = 0

  see(page: PageState): void {
    const { number } = page
    add(this.missing, this.#last + 1, number - 1)
    if (hasNoText(page)) add(this.missing, number, number)
    else if (hasWarnings(page)) add(this.incomplete, number, number)
    this.#last = number
  }

  /** Call this after the last page; `pages` is the document's page count, if known. */
  end(pages: number | undefined): void {
    add(this.missing, this.#last + 1, pages ?? this.#last)
  }
}

const longestList = 1_000

/** `3,7-9`; it ends with `,...` where it would be longer than a header may be. */
export const spansText = (spans: ReadonlyArray<PageSpan>): string => {
  let text = ""
  for (const [from, to] of spans) {
    const next = `${text === "" ? "" : ","}${from === to ? from : `${from}-${to}`}`
    if (text.length + next.length > longestList) return `${text},...`
    text += next
  }
  return text
}

export const textHeaders = {
  status: "sluice-document-status",
  text: "sluice-text",
  missing: "sluice-missing-pages",
  incomplete: "sluice-incomplete-pages"
} as const

/** Headers that say whether the text is complete, and which pages lack text. */
export const gapHeaders = ({ status }: Document, { incomplete, missing }: Gaps): Record<string, string> => ({
  [textHeaders.status]: status,
  [textHeaders.text]:
    status === "completed" && missing.length === 0 && incomplete.length === 0 ? "complete" : "partial",
  ...(missing.length === 0 ? {} : { [textHeaders.missing]: spansText(missing) }),
  ...(incomplete.length === 0 ? {} : { [textHeaders.incomplete]: spansText(incomplete) })
})

const mark = (number: number, why: string): string => `[page ${number} is missing: ${why}]`

const warningMark = (number: number, warnings: ReadonlyArray<Warning>): string =>
  `\n[page ${number} is incomplete: ${warnings.map(({ code }) => code).join(", ")}]`

/** Replaces the text of a page that has no result. */
export const unreadMark = (number: number, { status }: Document): string =>
  mark(number, isTerminal(status) ? "not read" : "pending")

/** The page's text with notes on what it lacks, or the mark that replaces it. */
export const markedText = (page: Readable): string => {
  const { error, number, status, text, warnings = [] } = page
  if (hasNoText(page)) return mark(number, error?.code ?? status)
  return warnings.length === 0 ? text : `${text}${warningMark(number, warnings)}`
}

/** The end of the text of a document whose page count is unknown. */
export const unknownMark = ({ failure, status }: Document): string =>
  `[the document is ${status}: ${failure?.code ?? "its pages are not known yet"}]`
