// The pages of a document as renderings take them, read from the store in portions and one portion at a time.
import { type Context, Effect, Option, Stream } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import { hasNoText, pageMark, unknownMark, unreadMark } from "../../domain/document/PageMarks.ts"
import type { RenderedPage } from "../../domain/rendering/DocumentBlock.ts"
import { decodeLayout } from "../../domain/document/LayoutBytes.ts"
import type { Documents } from "../../services/store/Documents.ts"

type Store = Context.Service.Shape<typeof Documents>

/** Few, because the layouts of a portion are decoded without a pause. */
const portion = { limit: 16, bytes: 128 * 1024, detail: false, layout: true }

export interface PageRange {
  readonly from: number
  /** The last page, if not all. */
  readonly to: number | undefined
}

export const allPages: PageRange = { from: 1, to: undefined }

/** The pages that have a result, in order. */
export const pageResults = (store: Store, { id, tenantId }: Document, { from, to }: PageRange) =>
  Stream.paginate(from, (start: number) =>
    Effect.map(Effect.andThen(Effect.yieldNow, store.pages(tenantId, id, { from: start, ...portion })), (found) => {
      const pages = to === undefined ? found : found.filter(({ number }) => number <= to)
      const last = found.at(-1)
      const isEnd = last === undefined || (to !== undefined && last.number >= to)
      return [pages, isEnd ? Option.none<number>() : Option.some(last.number + 1)] as const
    })
  )

/** A page without its layout shows its text; one without text has nothing to show. */
export const renderedPage = (page: PageResult, marks: boolean): RenderedPage => {
  const { layout, number } = page
  const mark = marks ? pageMark(page) : undefined
  return {
    number,
    layout: layout === undefined ? undefined : decodeLayout(layout),
    text: hasNoText(page) ? "" : page.text,
    ...(mark === undefined ? {} : { mark })
  }
}

/** With `marks`, also the pages that have no result: each says so. */
export const renderedPages = (store: Store, document: Document, range: PageRange, marks: boolean) => {
  const read = Stream.map(pageResults(store, document, range), (page) => renderedPage(page, marks))
  if (!marks) return read
  const count = document.progress.pages
  const unread = (from: number, to: number): Stream.Stream<RenderedPage> =>
    from > to
      ? Stream.empty
      : Stream.map(Stream.range(from, to), (number) => ({
          number,
          layout: undefined,
          text: "",
          mark: unreadMark(number, document)
        }))
  return Stream.suspend(() => {
    let last = range.from - 1
    const known = Stream.flatMap(read, (page) => {
      const before = unread(last + 1, page.number - 1)
      last = page.number
      return Stream.concat(before, Stream.make(page))
    })
    const rest = Stream.suspend((): Stream.Stream<RenderedPage> => {
      if (count !== undefined) return unread(last + 1, Math.min(count, range.to ?? count))
      return Stream.make({ number: last + 1, layout: undefined, text: "", mark: unknownMark(document) })
    })
    return Stream.concat(known, rest)
  })
}
