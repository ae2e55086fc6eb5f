// Pages as they are sent. Every one becomes bytes as soon as it is read, so that an answer holds little else than itself.
import { Effect } from "effect"
import type { PageResult, PageSummary, PageView } from "../../../domain/document/Page.ts"

export type PageDetail = "summary" | "text" | "lines"

/** Lines were written as JSON when the page was read, and are put in as they are: most of a page is never parsed again. */
export const encodedPage = ({ error, lines, text, ...shown }: PageResult, detail: PageDetail): string => {
  const summary: typeof PageSummary.Encoded = error === undefined ? shown : { ...shown, error }
  if (detail === "summary") return JSON.stringify(summary)
  const page: typeof PageView.Encoded = { ...summary, text }
  const json = JSON.stringify(page)
  return detail === "text" ? json : `${json.slice(0, -1)},"lines":${lines}}`
}

/** What an answer holds of pages, but for one that is larger alone. */
export const mostBytes = 4 * 1024 * 1024

/** The answer of these pages, and where to go on. */
export const pagesAnswer = (pages: ReadonlyArray<Uint8Array>, next?: number): Uint8Array => {
  const end = next === undefined ? "]}" : `],"next":${next}}`
  return Buffer.concat([Buffer.from('{"pages":['), ...pages, Buffer.from(end)])
}

/**
 * The answer: up to `limit` pages, and where to go on. `read` gives pages that have a result, from a number on, in order, as
 * many as one read may bring; none when there are no more. `count` is told of every byte before more is read, and may refuse.
 */
export const encodedPages = Effect.fnUntraced(function* <E, E2, R>(
  read: (from: number, limit: number) => Effect.Effect<ReadonlyArray<PageResult>, E>,
  count: (bytes: number) => Effect.Effect<void, E2, R>,
  { detail, from, limit }: { readonly detail: PageDetail; readonly from: number; readonly limit: number }
) {
  const pages: Array<Uint8Array> = []
  let bytes = 0
  for (let start = from; ;) {
    // One more than is sent tells whether there is a next one.
    const wanted = limit + 1 - pages.length
    const found = yield* read(start, wanted)
    const before = bytes
    let next: number | undefined
    for (const page of found) {
      const encoded = Buffer.from(`${pages.length === 0 ? "" : ","}${encodedPage(page, detail)}`)
      const isFull = pages.length === limit || (pages.length > 0 && bytes + encoded.length > mostBytes)
      if (isFull) {
        next = page.number
        break
      }
      pages.push(encoded)
      bytes += encoded.length
      start = page.number + 1
    }
    yield* count(bytes - before)
    // Summaries are small, and never cut short.
    const isLast = found.length === 0 || (detail === "summary" && found.length < wanted)
    if (next !== undefined || isLast) return pagesAnswer(pages, next)
  }
})
