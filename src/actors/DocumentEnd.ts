import { Effect, Metric } from "effect"
import { type Document, isTerminal } from "../domain/Document.ts"
import type { IngestEvent } from "../domain/Event.ts"
import { Events } from "../services/Events.ts"
import * as Log from "../services/Log.ts"
import * as Telemetry from "../services/Telemetry.ts"
import { Drainage } from "./Drainage.ts"

type Ended = Pick<Document, "tenantId" | "id" | "status" | "failure">

export const documentEnded = ({ failure, id, status, tenantId }: Ended): IngestEvent => ({
  _tag: "DocumentEnded",
  tenantId,
  documentId: id,
  status,
  ...(failure && { failure })
})

/** Tells, logs and counts the end of a document. Whoever made it durable calls this, once. */
export const announceEnd = Effect.fnUntraced(function* (document: Ended) {
  const { failure, id, status, tenantId } = document
  if (!isTerminal(status)) return
  const events = yield* Events
  const drainage = yield* Drainage
  yield* drainage.ended(tenantId)
  yield* events.publish(documentEnded(document))
  yield* Log.line("Info", "document ended", () => ({
    ...Telemetry.documentAttributes({ tenantId, documentId: id }),
    status,
    ...(failure && { code: failure.code })
  }))
  yield* Metric.update(Telemetry.documentsEnded.of(status), 1)
})
