import { Duration, Effect, Schema } from "effect"
import * as Sse from "effect/encoding/Sse"
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

const encodeChange = (change: Change) =>
  change._tag === "Document"
    ? encodeDocument(viewOf(change.document))
    : encodePage({
        documentId: change.documentId,
        tenantId: change.tenantId,
        page: change.page,
        status: change.status,
        done: change.progress.done,
        failed: change.progress.failed,
        ...(change.progress.warned === undefined ? {} : { warned: change.progress.warned }),
        pages: change.progress.pages ?? null
      })

const encoded = new WeakMap<Change, string>()

const changeData = (change: Change) => {
  const known = encoded.get(change)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.tap(encodeChange(change), (data) => Effect.sync(() => encoded.set(change, data)))
}

/** Tells clients how long to wait before they reconnect. */
export const retryText = Sse.encoder.write(new Sse.Retry({ duration: Duration.seconds(2), lastEventId: undefined }))

export const eventText = (news: News) => {
  const id = String(news.id)
  // A block with only an `id` is no event, but sets the `Last-Event-ID` that a client sends when it reconnects.
  if (news._tag === "Quiet") return Effect.succeed(`: ping\nid: ${id}\n\n`)
  const event = news._tag === "Queue" ? "queue" : news.change._tag === "Document" ? "document" : "page"
  const encoding = news._tag === "Queue" ? encodeQueue(queueViewOf(news.status)) : changeData(news.change)
  return Effect.map(encoding, (data) => Sse.encoder.write({ _tag: "Event", event, id, data }))
}
