// Pages as they are sent. Every one becomes bytes as soon as it is read, so that an answer holds little else than itself.
import { Effect } from "effect"
import type { PageResult, PageSummary, PageView } from "../domain/Page.ts"

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
/** Read at once, about, if the pages are as large as those before. */
const portionBytes = 1024 * 1024
/** Read at once before any is known, and how much more later: dense pages may follow many that are almost empty. */
const firstPortion = 4
const growth = 4

/**
 * The answer: up to `limit` pages, and where to go on. `read` gives pages that have a result, from a number on, in order.
 */
export const encodedPages = Effect.fnUntraced(function* <E>(
  read: (from: number, limit: number) => Effect.Effect<ReadonlyArray<PageResult>, E>,
  { detail, from, limit }: { readonly detail: PageDetail; readonly from: number; readonly limit: number }
) {
  const pages: Array<Uint8Array> = []
  let bytes = 0
  const answer = (next?: number): Uint8Array => {
    const end = next === undefined ? "]}" : `],"next":${next}}`
    return Buffer.concat([Buffer.from('{"pages":['), ...pages, Buffer.from(end)])
  }
  for (let start = from; ;) {
    const done = pages.length
    const portion = done === 0 ? firstPortion : Math.min(done * growth, Math.ceil((portionBytes * done) / bytes))
    // One more than is sent tells whether there is a next one. Summaries are small, and all alike.
    const wanted = Math.min(detail === "summary" ? Number.POSITIVE_INFINITY : portion, limit + 1 - done)
    const found = yield* read(start, wanted)
    for (const page of found) {
      const encoded = Buffer.from(`${pages.length === 0 ? "" : ","}${encodedPage(page, detail)}`)
      const full = pages.length === limit || (pages.length > 0 && bytes + encoded.length > mostBytes)
      if (full) return answer(page.number)
      pages.push(encoded)
      bytes += encoded.length
      start = page.number + 1
    }
    if (found.length < wanted) return answer()
  }
})
