import { Clock, type Context, Duration, Effect, Option, Stream } from "effect"
import type { Ingestion } from "../../../actors/Ingestion.ts"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { DocumentNotFound, StoreUnavailable } from "../../../services/store/DocumentStore.ts"
import { streamBytes } from "../../answers/UnsentBytes.ts"
import { heartbeat } from "../../live/LiveStreams.ts"

/** Read at a time, with their texts: what is held in memory for one reader. */
const portion = { limit: 50, bytes: streamBytes }

/** The pages up to the first one that is missing. */
const inARow = (pages: ReadonlyArray<PageResult>, from: number): ReadonlyArray<PageResult> => {
  const gap = pages.findIndex(({ number }, index) => number !== from + index)
  return gap < 0 ? pages : pages.slice(0, gap)
}

/**
 * All finished pages in the order of their numbers, read when they are wanted. With `follow`, also those still to come until
 * the document ends: pages that came too early wait in the store. While there is none, none is told at once, and again with
 * every heartbeat.
 */
export const pagesInOrder = (
  ingestion: Context.Service.Shape<typeof Ingestion>,
  tenant: TenantId,
  id: DocumentId,
  { detail, follow }: { readonly detail: boolean; readonly follow: boolean }
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const changed = follow ? yield* ingestion.changed(id) : Effect.void
      /** When something was told last. */
      let toldAt = Number.NEGATIVE_INFINITY

      type Part = readonly [ReadonlyArray<Option.Option<PageResult>>, Option.Option<number>]
      const next = (from: number) =>
        Effect.gen(function* (): Effect.fn.Return<Part, DocumentNotFound | StoreUnavailable> {
          for (;;) {
            // First of all: what is found after the end is all that will ever be.
            const mayGrow = follow && !isTerminal((yield* ingestion.find(tenant, id)).status)
            const found = yield* ingestion.pages(tenant, id, { from, ...portion, detail })
            const pages = mayGrow ? inARow(found, from) : found
            const last = pages.at(-1)
            const now = yield* Clock.currentTimeMillis
            if (last !== undefined) {
              toldAt = now
              return [pages.map((page) => Option.some(page)), Option.some(last.number + 1)]
            }
            if (!mayGrow) return [[], Option.none()]
            const silence = toldAt + Duration.toMillis(heartbeat) - now
            if (silence <= 0) {
              toldAt = now
              return [[Option.none()], Option.some(from)]
            }
            yield* Effect.raceFirst(changed, Effect.sleep(silence))
          }
        })
      return Stream.paginate(1, next)
    })
  )
