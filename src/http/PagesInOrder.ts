import { type Context, Effect, Option, Stream } from "effect"
import type { Ingestion } from "../actors/Ingestion.ts"
import { isTerminal } from "../domain/Document.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import type { PageResult } from "../domain/Page.ts"

/** Read at a time, with their texts: what is held in memory for one reader. */
const portion = 20

/** The pages up to the first one that is missing. */
const inARow = (pages: ReadonlyArray<PageResult>, from: number): ReadonlyArray<PageResult> => {
  const gap = pages.findIndex(({ number }, index) => number !== from + index)
  return gap < 0 ? pages : pages.slice(0, gap)
}

/**
 * All finished pages in the order of their numbers, read when they are wanted. With `follow`, also those still to come until
 * the document ends: pages that came too early wait in the store.
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
      return Stream.paginate(1, (from: number) =>
        Effect.gen(function* () {
          for (;;) {
            // First of all: what is found after the end is all that will ever be.
            const mayGrow = follow && !isTerminal((yield* ingestion.status(tenant, id)).status)
            const found = yield* ingestion.pages(tenant, id, { from, limit: portion, detail })
            const pages = mayGrow ? inARow(found, from) : found
            const last = pages.at(-1)
            if (last !== undefined) {
              const more = mayGrow || found.length === portion
              return [pages, more ? Option.some(last.number + 1) : Option.none()] as const
            }
            if (!mayGrow) return [pages, Option.none()] as const
            yield* changed
          }
        })
      )
    })
  )
