import { Effect } from "effect"
import type { Ingestion, SubmitError, Submitted } from "../actors/Ingestion.ts"
import type { TenantId } from "../domain/Ids.ts"
import type { QueueFull } from "../services/DocumentStore.ts"
import { storeCodes } from "./Failures.ts"
import { type DocumentOutcome, linksOf, type RefusedDocument } from "./Outcome.ts"
import { ContentTooLarge, ServiceUnavailable, someTime, TooManyRequests, UnprocessableContent } from "./Problems.ts"

/** From the engine's errors to the interface's: per item of a submission, and for a request as a whole. */

export interface Refusal {
  readonly status: 413 | 422 | 429 | 503
  readonly error: (typeof RefusedDocument.Type)["error"]
  /** Which queue was full, to tell how soon it has room. */
  readonly scope?: "tenant" | "global"
}

const longestWait = 300

const refusalOf = (error: SubmitError): Refusal => {
  switch (error._tag) {
    case "SubmissionRejected":
      return { status: error.failure.code === "TOO_LARGE" ? 413 : 422, error: error.failure }
    case "QueueFull":
      return {
        status: 429,
        error: {
          code: error.scope === "tenant" ? "TENANT_QUEUE_FULL" : "GLOBAL_QUEUE_FULL",
          message: error.message,
          advice: "Try again after the time that Retry-After tells.",
          limit: error.limit
        },
        scope: error.scope
      }
    case "ShuttingDown":
      return { status: 503, error: { code: "SHUTTING_DOWN", message: error.message, advice: "Try again soon." } }
    case "StoreUnavailable":
    case "BlobStoreUnavailable":
      return { status: 503, error: { code: storeCodes[error._tag], message: error.message, advice: "Try again soon." } }
  }
}

export interface Item {
  readonly outcome: DocumentOutcome
  readonly refusal?: Refusal
}

export const acceptedItem = ({ duplicateOf, id, name, status }: Submitted): Item => ({
  outcome: { id, name, status, ...(duplicateOf === undefined ? {} : { duplicateOf }), links: linksOf(id) }
})

export const refusedItem = (name: string, refusal: Refusal): Item => ({
  outcome: { name, error: refusal.error },
  refusal
})

export const failedItem = Effect.fnUntraced(function* (name: string, error: SubmitError) {
  const refusal = refusalOf(error)
  if (refusal.status === 503) yield* Effect.logWarning("submission failed", error)
  return refusedItem(name, refusal)
})

/** Until the full queue has room for one more: the wait of the newest document over the documents before it. */
const secondsUntilRoom = (ingestion: Ingestion["Service"], tenant: TenantId, scope: Refusal["scope"]) =>
  (scope === "global" ? ingestion.queueStatus() : ingestion.queueStatus(tenant)).pipe(
    Effect.map(({ estimatedWaitSeconds, paused, waiting }) =>
      // A paused queue gets no room by itself, and nobody knows when it is resumed.
      paused ? longestWait : Math.min(longestWait, Math.max(1, Math.ceil(estimatedWaitSeconds / Math.max(1, waiting))))
    ),
    Effect.orElseSucceed(() => someTime)
  )

export const refuseQueueFull = Effect.fnUntraced(function* (
  ingestion: Ingestion["Service"],
  tenant: TenantId,
  error: QueueFull
) {
  const { error: shown, scope } = refusalOf(error)
  const { message, ...known } = shown
  const retryAfter = yield* secondsUntilRoom(ingestion, tenant, scope)
  return yield* new TooManyRequests({ ...known, detail: message, retryAfter })
})

/** The problem of a submission of which nothing was accepted: it takes its status from the first refusal. */
export const refuseAll = Effect.fnUntraced(function* <Extra extends object>(
  ingestion: Ingestion["Service"],
  tenant: TenantId,
  { error, scope, status }: Refusal,
  documents: ReadonlyArray<DocumentOutcome>,
  extra: Extra
) {
  const { message, ...known } = error
  const fields = { ...known, detail: message, documents, ...extra }
  switch (status) {
    case 413:
      return yield* new ContentTooLarge(fields)
    case 422:
      return yield* new UnprocessableContent(fields)
    case 429:
      return yield* new TooManyRequests({ ...fields, retryAfter: yield* secondsUntilRoom(ingestion, tenant, scope) })
    case 503:
      return yield* new ServiceUnavailable({ ...fields, retryAfter: someTime })
  }
})
