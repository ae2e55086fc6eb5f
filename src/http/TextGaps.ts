// What is missing of a text: told in headers, and, to those who ask for it, at its place.
import { type Document, isTerminal } from "../domain/Document.ts"
import type { PageResult } from "../domain/Page.ts"

/** Pages from one number to another, both included. */
export type PageSpan = readonly [from: number, to: number]

/** What is known of a page without its text. */
type Seen = Pick<PageResult, "number" | "status">

/** Pages that may have text of which nothing is there: not read, failed, or a picture of a page. */
const hasNoText = ({ status }: Seen): boolean => status !== "ok" && status !== "empty"

/** Gathers the pages without text, of pages that come in order. */
export class Gaps {
  readonly spans: Array<PageSpan> = []
  #last = 0

  see(page: Seen): void {
    this.#miss(this.#last + 1, page.number - 1)
    if (hasNoText(page)) this.#miss(page.number, page.number)
    this.#last = page.number
  }

  /** All have come, of so many. */
  end(pages: number | undefined): void {
    this.#miss(this.#last + 1, pages ?? this.#last)
  }

  #miss(from: number, to: number): void {
    if (from > to) return
    const before = this.spans.at(-1)
    if (before?.[1] === from - 1) this.spans[this.spans.length - 1] = [before[0], to]
    else this.spans.push([from, to])
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
  missing: "sluice-missing-pages"
} as const

/** Whether the text is the document's whole one, and what it lacks. */
export const gapHeaders = ({ status }: Document, { spans }: Gaps): Record<string, string> => ({
  [textHeaders.status]: status,
  [textHeaders.text]: status === "completed" && spans.length === 0 ? "complete" : "partial",
  ...(spans.length === 0 ? {} : { [textHeaders.missing]: spansText(spans) })
})

const mark = (number: number, why: string): string => `[page ${number} is missing: ${why}]`

/** In place of a page that has no result. */
export const unreadMark = (number: number, { status }: Document): string =>
  mark(number, isTerminal(status) ? "not read" : "pending")

/** The page's text, or what stands in its place. */
export const markedText = (page: Pick<PageResult, "number" | "status" | "text" | "error">): string =>
  hasNoText(page) ? mark(page.number, page.error?.code ?? page.status) : page.text

/** At the end of a text of a document whose pages nobody knows. */
export const unknownMark = ({ failure, status }: Document): string =>
  `[the document is ${status}: ${failure?.code ?? "its pages are not known yet"}]`
