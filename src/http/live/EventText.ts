import { Effect, Schema } from "effect"
import type { News } from "../../actors/Ingestion.ts"
import type { Change } from "../../domain/Change.ts"
import { ListedDocument, viewOf } from "../api/views/DocumentView.ts"
import { PageEvent } from "../api/Events.ts"
import { QueueStatusView } from "../api/Queue.ts"
import { queueViewOf } from "../api/views/QueueView.ts"

/** Encodes news as text of an event stream. A change that many clients receive is encoded once. */

const encodeDocument = Schema.encodeEffect(Schema.fromJsonString(ListedDocument))
const encodePage = Schema.encodeEffect(Schema.fromJsonString(PageEvent))
const encodeQueue = Schema.encodeEffect(Schema.fromJsonString(QueueStatusView))

const changes = new WeakMap<Change, string>()

const changeText = Effect.fnUntraced(function* (change: Change) {
  const known = changes.get(change)
  if (known !== undefined) return known
  const text =
    change._tag === "Document"
      ? `event: document\ndata: ${yield* encodeDocument(viewOf(change.document))}\n`
      : `event: page\ndata: ${yield* encodePage({
          documentId: change.documentId,
          tenantId: change.tenantId,
          page: change.page,
          status: change.status,
          done: change.progress.done,
          failed: change.progress.failed,
          ...(change.progress.warned === undefined ? {} : { warned: change.progress.warned }),
          pages: change.progress.pages ?? null
        })}\n`
  changes.set(change, text)
  return text
})

/** Tells clients how long to wait before they reconnect, in milliseconds. */
export const retryText = "retry: 2000\n\n"

/** A block with only an `id` is no event, but sets the `Last-Event-ID` that a client sends when it reconnects. */
export const eventText = (news: News) => {
  const id = `id: ${news.id}\n\n`
  switch (news._tag) {
    case "Changed":
      return Effect.map(changeText(news.change), (text) => text + id)
    case "Queue":
      return Effect.map(encodeQueue(queueViewOf(news.status)), (text) => `event: queue\ndata: ${text}\n${id}`)
    case "Quiet":
      return Effect.succeed(`: ping\n${id}`)
  }
}
