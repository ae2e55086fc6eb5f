import { type Context, Effect, Option, Stream } from "effect"
import type { Ingestion } from "../../../actors/Ingestion.ts"
import type { Document } from "../../../domain/document/Document.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { PageRange } from "../../api/schemas/PageRange.ts"
import { pagesInOrder } from "./PagesInOrder.ts"
import { markedText, unknownMark, unreadMark } from "../../../domain/document/PageMarks.ts"
import { Gaps } from "./TextGaps.ts"

type Engine = Context.Service.Shape<typeof Ingestion>

/** Pages per read, without their texts. */
const portion = 500

/** The pages that have no text or an incomplete one, at this moment; of those from one number to another. */
export const gapsOf = Effect.fnUntraced(function* (
  ingestion: Engine,
  { id, progress, tenantId }: Document,
  { from: first = 1, to = Number.POSITIVE_INFINITY }: PageRange
) {
  const gaps = new Gaps(first)
  for (let from = first; ;) {
    const found = yield* ingestion.pages(tenantId, id, { from, limit: portion, detail: false, summary: true })
    for (const page of found) if (page.number <= to) gaps.see(page)
    const last = found.at(-1)
    if (last === undefined || found.length < portion || last.number >= to) break
    from = last.number + 1
  }
  gaps.end(progress.pages === undefined ? undefined : Math.min(progress.pages, to))
  return gaps
})

/** One element for every page of the range; a page without a result gets a mark. */
const marked = <E>(
  document: Document,
  pages: Stream.Stream<PageResult, E>,
  { from: first = 1, to = Number.POSITIVE_INFINITY }: PageRange
): Stream.Stream<string, E> => {
  const { pages: count } = document.progress
  const unread = (from: number, to: number) =>
    from > to ? Stream.empty : Stream.map(Stream.range(from, to), (number) => unreadMark(number, document))
  return Stream.suspend(() => {
    let last = first - 1
    const read = Stream.flatMap(pages, (page) => {
      const before = unread(last + 1, page.number - 1)
      last = page.number
      return Stream.concat(before, Stream.make(markedText(page)))
    })
    const rest = Stream.suspend(() =>
      count === undefined ? Stream.make(unknownMark(document)) : unread(last + 1, Math.min(count, to))
    )
    return Stream.concat(read, rest)
  })
}

/** The text of the finished pages of a range, one element each; with `mark`, one element for every page. */
export const pageTexts = (
  ingestion: Engine,
  document: Document,
  { from, mark, to }: PageRange & { readonly mark?: "missing" }
) => {
  const { id, tenantId } = document
  const pages = pagesInOrder(ingestion, tenantId, id, { detail: false, follow: false, from, to }).pipe(
    Stream.filter(Option.isSome),
    Stream.map(({ value }) => value)
  )
  return mark === "missing" ? marked(document, pages, { from, to }) : Stream.map(pages, ({ text }) => text)
}
