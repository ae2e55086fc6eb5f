import { Clock, type Context, Duration, Effect, Option, Stream } from "effect"
import type { Ingestion } from "../../../actors/Ingestion.ts"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { DocumentNotFound, StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import { streamBytes } from "../../answers/UnsentBytes.ts"
import type { PageRange } from "../../api/schemas/PageRange.ts"
import { heartbeat } from "../../live/LiveStreams.ts"

/** Limits of one read of pages with their texts: the memory that one reader needs. */
const portion = { limit: 50, bytes: streamBytes }

/** The pages before the first gap in their numbers. */
const beforeGap = (pages: ReadonlyArray<PageResult>, from: number): ReadonlyArray<PageResult> => {
  const gap = pages.findIndex(({ number }, index) => number !== from + index)
  return gap < 0 ? pages : pages.slice(0, gap)
}

/**
 * The finished pages of a range in the order of their numbers, read on demand. With `follow`, also pages that finish until the document
 * ends: a page that finishes before its predecessors stays in the store until they are done. While no page is ready, a `None` is
 * emitted at once and with every heartbeat.
 */
export const pagesInOrder = (
  ingestion: Context.Service.Shape<typeof Ingestion>,
  tenant: TenantId,
  id: DocumentId,
  {
    detail,
    follow,
    from: first = 1,
    to = Number.POSITIVE_INFINITY
  }: PageRange & { readonly detail: boolean; readonly follow: boolean }
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const changed = follow ? yield* ingestion.changed(id) : Effect.void
      /** When an element was last emitted. */
      let emittedAt = Number.NEGATIVE_INFINITY

      type Part = readonly [ReadonlyArray<Option.Option<PageResult>>, Option.Option<number>]
      const next = (from: number) =>
        Effect.gen(function* (): Effect.fn.Return<Part, DocumentNotFound | StoreUnavailable> {
          if (from > to) return [[], Option.none()]
          for (;;) {
            // The status is read before the pages: pages read after the document ended are complete.
            const mayGrow = follow && !isTerminal((yield* ingestion.find(tenant, id)).status)
            const found = yield* ingestion.pages(tenant, id, { from, ...portion, detail })
            const wanted = found.filter(({ number }) => number <= to)
            const pages = mayGrow ? beforeGap(wanted, from) : wanted
            const last = pages.at(-1)
            const now = yield* Clock.currentTimeMillis
            if (last !== undefined) {
              emittedAt = now
              return [pages.map((page) => Option.some(page)), Option.some(last.number + 1)]
            }
            if (!mayGrow) return [[], Option.none()]
            const silence = emittedAt + Duration.toMillis(heartbeat) - now
            if (silence <= 0) {
              emittedAt = now
              return [[Option.none()], Option.some(from)]
            }
            yield* Effect.raceFirst(changed, Effect.sleep(silence))
          }
        })
      return Stream.paginate(first, next)
    })
  )
