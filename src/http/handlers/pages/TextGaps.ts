// What a text lacks, as it is reported in headers.
import type { Document } from "../../../domain/document/Document.ts"
import { hasNoText, type PageState } from "../../../domain/document/PageMarks.ts"
import { addSpan, type PageSpan, spansText } from "../../../domain/document/PageSpans.ts"
import { hasWarnings } from "../../../domain/document/Warning.ts"

/** Collects the gaps of a text from pages in order. */
export class Gaps {
  /** Pages without text. */
  readonly missing: Array<PageSpan> = []
  /** Pages with warnings: something of their text may be missing or wrong. */
  readonly incomplete: Array<PageSpan> = []
  #last: number

  /** `from` is the first page that is looked at. */
  constructor(from = 1) {
    this.#last = from - 1
  }

  see(page: PageState): void {
    const { number } = page
    addSpan(this.missing, this.#last + 1, number - 1)
    if (hasNoText(page)) addSpan(this.missing, number, number)
    else if (hasWarnings(page)) addSpan(this.incomplete, number, number)
    this.#last = number
  }

  /** Call this after the last page; `pages` is the number of the last page that is looked at, if known. */
  end(pages: number | undefined): void {
    addSpan(this.missing, this.#last + 1, pages ?? this.#last)
  }
}

export const textHeaders = {
  status: "sluice-document-status",
  text: "sluice-text",
  missing: "sluice-missing-pages",
  incomplete: "sluice-incomplete-pages",
  withoutLayout: "sluice-pages-without-layout"
} as const

/** Headers that say whether the text is complete, and which pages lack text. */
export const gapHeaders = ({ status }: Document, { incomplete, missing }: Gaps): Record<string, string> => ({
  [textHeaders.status]: status,
  [textHeaders.text]:
    status === "completed" && missing.length === 0 && incomplete.length === 0 ? "complete" : "partial",
  ...(missing.length === 0 ? {} : { [textHeaders.missing]: spansText(missing) }),
  ...(incomplete.length === 0 ? {} : { [textHeaders.incomplete]: spansText(incomplete) })
})
