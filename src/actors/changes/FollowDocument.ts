import { Effect, Option, Schedule, Stream } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { IngestEvent } from "../../domain/Event.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { Documents } from "../../services/store/Documents.ts"
import { Events } from "../../services/Events.ts"
import { documentEnded } from "../document/FinishDocument.ts"

const portion = 200

/**
 * The events of one document from its beginning to its end. It subscribes before it reads the store, so it misses nothing; a
 * page that comes from both is sent once. It also queries the store for the end, in case the event of the end was lost, and
 * for pages before it sends the end.
 */
export const followDocument = (tenantId: TenantId, documentId: DocumentId) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const documents = yield* Documents
      const subject = { tenantId, documentId }
      const live = yield* Effect.flatMap(Events, (events) => events.subscribe)
      const found = yield* documents.find(tenantId, documentId)
      const seen = new Set<number>()

      const donePages = Stream.paginate(1, (from: number) =>
        Effect.map(
          documents.pages(tenantId, documentId, { from, limit: portion, detail: false, summary: true }),
          (pages) => {
            const last = pages.at(-1)
            const next = last !== undefined && pages.length === portion ? Option.some(last.number + 1) : Option.none()
            return [pages, next] as const
          }
        )
      ).pipe(Stream.map(({ number, status }): IngestEvent => ({ _tag: "PageDone", ...subject, page: number, status })))
      const endInStore = Stream.fromEffectSchedule(
        documents.find(tenantId, documentId),
        Schedule.spaced("5 seconds")
      ).pipe(
        Stream.filter((document) => isTerminal(document.status)),
        Stream.map(documentEnded)
      )
      const missedPages = Stream.unwrap(
        Effect.map(documents.find(tenantId, documentId), ({ progress }) =>
          progress.done > seen.size ? donePages : Stream.empty
        )
      ).pipe(Stream.catchTag("DocumentNotFound", () => Stream.empty))
      return Stream.fromIterable(beginning(found)).pipe(
        Stream.concat(donePages),
        Stream.concat(
          isTerminal(found.status)
            ? Stream.make(documentEnded(found))
            : Stream.merge(
                Stream.filter(live, (event) => event.documentId === documentId),
                endInStore
              )
        ),
        Stream.flatMap((event) =>
          event._tag === "DocumentEnded" ? Stream.concat(missedPages, Stream.make(event)) : Stream.make(event)
        ),
        Stream.filter((event) => {
          if (event._tag !== "PageDone") return true
          const fresh = !seen.has(event.page)
          seen.add(event.page)
          return fresh
        }),
        Stream.takeUntil((event) => event._tag === "DocumentEnded")
      )
    })
  )

const beginning = (document: Document): ReadonlyArray<IngestEvent> => {
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const accepted: IngestEvent = { _tag: "DocumentAccepted", ...subject, name: document.name }
  const pages = document.progress.pages
  return pages === undefined ? [accepted] : [accepted, { _tag: "DocumentOpened", ...subject, pages }]
}
