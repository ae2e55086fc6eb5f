// Pages as they are sent. Each is encoded to bytes as soon as it is read, so an answer needs little memory besides its bytes.
import { Effect } from "effect"
import type { PageLayout } from "../../../domain/document/PageLayout.ts"
import { hiddenField } from "../../../domain/rendering/Hidden.ts"
import { wordsOf } from "../../../domain/rendering/Words.ts"
import type { PageResult, PageSummary, PageView } from "../../../domain/document/Page.ts"

export type PageDetail = "summary" | "text" | "lines"

/** The page with its layout, or with the words of it. */
export const pageWithLayout = (page: PageResult, layout: PageLayout, detail: "words" | "layout"): string => {
  const found = detail === "layout" ? { layout } : { words: wordsOf(layout) }
  const shown = JSON.stringify({ ...found, ...hiddenField(layout) })
  return `${encodedPage(page, "text").slice(0, -1)},${shown.slice(1)}`
}

/** Lines are stored as JSON and inserted unchanged, so most of a page is never parsed again. */
export const encodedPage = (
  { error, layout: _layout, lines, text, ...shown }: PageResult,
  detail: PageDetail
): string => {
  const summary: typeof PageSummary.Encoded = error === undefined ? shown : { ...shown, error }
  if (detail === "summary") return JSON.stringify(summary)
  const page: typeof PageView.Encoded = { ...summary, text }
  const json = JSON.stringify(page)
  return detail === "text" ? json : `${json.slice(0, -1)},"lines":${lines}}`
}

/** The most bytes of pages in one answer. A single larger page is still sent. */
export const mostBytes = 4 * 1024 * 1024

/** The answer with these pages and the number of the next page, if there is one. */
export const pagesAnswer = (pages: ReadonlyArray<Uint8Array>, next?: number): Uint8Array => {
  const end = next === undefined ? "]}" : `],"next":${next}}`
  return Buffer.concat([Buffer.from('{"pages":['), ...pages, Buffer.from(end)])
}

/**
 * The answer: up to `limit` pages, and the number of the next page. `read` returns pages with a result, in order, starting at
 * `from`; one read may return fewer than `limit`, and none means that there are no more. `count` is called with the bytes of each
 * read before the next read, and may refuse.
 */
export const encodedPages = Effect.fnUntraced(function* <E, E2, R>(
  read: (from: number, limit: number) => Effect.Effect<ReadonlyArray<PageResult>, E>,
  count: (bytes: number) => Effect.Effect<void, E2, R>,
  { detail, from, limit }: { readonly detail: PageDetail; readonly from: number; readonly limit: number }
) {
  const pages: Array<Uint8Array> = []
  let bytes = 0
  for (let start = from; ;) {
    // One page more than is sent shows whether there is a next page.
    const requested = limit + 1 - pages.length
    const found = yield* read(start, requested)
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
    // A read of summaries has no byte limit, so fewer than requested means the end.
    const isLast = found.length === 0 || (detail === "summary" && found.length < requested)
    if (next !== undefined || isLast) return pagesAnswer(pages, next)
  }
})
