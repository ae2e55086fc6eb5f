import { Effect, Metric, Schema } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { IngestEvent } from "../../domain/Event.ts"
import { Failure } from "../../domain/Failure.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { Fence } from "../../services/store/Fence.ts"
import type { Outcome, WholeDocument } from "../../services/store/Outcome.ts"
import { Events } from "../../services/Events.ts"
import * as Log from "../../observability/Log.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { RetryAfterEstimator } from "../admission/retryAfter/RetryAfterEstimator.ts"
import { retryingStore } from "../upkeep/RetryPolicies.ts"
import { announceWhole } from "./SavePages.ts"

/** The document ends as `failed`: it is not tried again. */
export class DocumentFailed extends Schema.TaggedError<DocumentFailed>()("DocumentFailed", { failure: Failure }) {
  static of(reason: Failure) {
    return new DocumentFailed({ failure: reason })
  }
}

/** How a document ends. `whole` holds what was read of it, if that is not stored yet. */
export interface Ending {
  readonly outcome: Outcome
  readonly whole?: WholeDocument
}

export const failedWith = (reason: Failure): Ending => ({ outcome: { status: "failed", failure: reason } })

type Ended = Pick<Document, "tenantId" | "id" | "status" | "failure">

export const documentEnded = ({ failure, id, status, tenantId }: Ended): IngestEvent => ({
  _tag: "DocumentEnded",
  tenantId,
  documentId: id,
  status,
  ...(failure && { failure })
})

/** Publishes, logs and counts the end of a document. Called once, by the code that made the end durable. */
export const announceEnd = Effect.fnUntraced(function* (document: Ended) {
  const { failure, id, status, tenantId } = document
  if (!isTerminal(status)) return
  const events = yield* Events
  const retryEstimator = yield* RetryAfterEstimator
  yield* retryEstimator.ended(tenantId)
  yield* events.publish(documentEnded(document))
  yield* Log.line("Info", "document ended", () => ({
    ...Telemetry.documentAttributes({ tenantId, documentId: id }),
    status,
    ...(failure && { code: failure.code })
  }))
  yield* Metric.update(Telemetry.documentsEnded.of(status), 1)
})

/** Makes the end durable and announces it. Interruptible between tries, so that a run without its lease releases its permits. */
export const finishDocument = Effect.fnUntraced(function* (fence: Fence, { outcome, whole }: Ending) {
  const queue = yield* DocumentQueue
  const finish = whole === undefined ? queue.finish(fence, outcome) : queue.finishWhole(fence, whole, outcome)
  yield* finish.pipe(
    Effect.tap(({ id, tenantId }) =>
      whole === undefined ? Effect.void : announceWhole({ tenantId, documentId: id }, whole)
    ),
    Effect.flatMap(announceEnd),
    Effect.uninterruptible,
    retryingStore
  )
})
