import { Effect } from "effect"
import type { LimitReached, SubmitError, Submitted } from "../../actors/Ingestion.ts"
import { storageFull, storeFailure } from "../api/problems/Failures.ts"
import { type DocumentOutcome, linksOf, type RefusedDocument } from "../api/views/SubmitOutcome.ts"
import {
  ContentTooLarge,
  InsufficientStorage,
  ServiceUnavailable,
  someTime,
  TooManyRequests,
  UnprocessableContent
} from "../api/problems/Problems.ts"

/** Maps the engine's errors to those of the interface: for one item of a submission and for a whole request. */

export interface Rejection {
  readonly status: 413 | 422 | 429 | 503 | 507
  readonly error: (typeof RefusedDocument.Type)["error"]
}

const limitCodes = {
  tenant_rate: "TENANT_RATE_LIMITED",
  tenant_bytes: "TENANT_BYTES_IN_FLIGHT",
  global_bytes: "GLOBAL_BYTES_IN_FLIGHT",
  tenant_queue: "TENANT_QUEUE_FULL",
  global_queue: "GLOBAL_QUEUE_FULL"
} as const
const limits = ["tenant_rate", "tenant_bytes", "global_bytes", "tenant_queue", "global_queue"] as const
const limitsByCode = new Map<string, LimitReached["limit"]>(limits.map((limit) => [limitCodes[limit], limit]))

/** The limit that belongs to an error code. */
export const limitOf = (code: string): LimitReached["limit"] | undefined => limitsByCode.get(code)

const limitReached = ({ allowed, limit, message, retryAfterSeconds }: LimitReached) => ({
  code: limitCodes[limit],
  message,
  advice: "Try again after the time in Retry-After.",
  limit: allowed,
  retryAfter: retryAfterSeconds
})

const rejectionOf = (error: SubmitError): Rejection => {
  switch (error._tag) {
    case "SubmissionRejected":
      return { status: error.failure.code === "TOO_LARGE" ? 413 : 422, error: error.failure }
    case "LimitReached":
      return { status: 429, error: limitReached(error) }
    case "ShuttingDown":
      return { status: 503, error: { code: "SHUTTING_DOWN", message: error.message, advice: "Try again soon." } }
    case "QuotaReached":
      return {
        status: 507,
        error: {
          code: "TENANT_STORAGE_FULL",
          message: error.message,
          advice: "Remove documents that are not needed any more, or have the tenant's limit maxStoredBytes raised.",
          limit: error.limit
        }
      }
    case "StorageFull":
      return { status: 503, error: { ...storageFull, message: error.message } }
    case "StoreUnavailable":
    case "BlobStoreUnavailable":
      return { status: 503, error: { ...storeFailure(error), message: error.message } }
  }
}

export interface Item {
  readonly outcome: DocumentOutcome
  readonly rejection?: Rejection
}

export const acceptedItem = ({ duplicateOf, id, name, status }: Submitted): Item => ({
  outcome: { id, name, status, ...(duplicateOf === undefined ? {} : { duplicateOf }), links: linksOf(id) }
})

export const refusedItem = (name: string, rejection: Rejection): Item => ({
  outcome: { name, error: rejection.error },
  rejection
})

export const failedItem = Effect.fnUntraced(function* (name: string, error: SubmitError) {
  const rejection = rejectionOf(error)
  if (rejection.status === 503) yield* Effect.logWarning("submission failed", error)
  return refusedItem(name, rejection)
})

export const refuseLimitReached = (error: LimitReached) => {
  const { message, ...known } = limitReached(error)
  return Effect.fail(new TooManyRequests({ ...known, detail: message }))
}

/** The longest Retry-After of all refused items: by then there should be room for all of them. */
const longestRetryAfter = (documents: ReadonlyArray<DocumentOutcome>) =>
  documents.reduce((longest, outcome) => Math.max(longest, "error" in outcome ? (outcome.error.retryAfter ?? 0) : 0), 0)

/** The problem for a submission of which nothing was accepted. Its status is that of the first rejection. */
export const refuseAll = Effect.fnUntraced(function* <Extra extends object>(
  { error, status }: Rejection,
  documents: ReadonlyArray<DocumentOutcome>,
  extra: Extra
) {
  const { message, retryAfter: _, ...known } = error
  const fields = { ...known, detail: message, documents, ...extra }
  switch (status) {
    case 413:
      return yield* new ContentTooLarge(fields)
    case 422:
      return yield* new UnprocessableContent(fields)
    case 429:
      return yield* new TooManyRequests({ ...fields, retryAfter: longestRetryAfter(documents) })
    case 503:
      return yield* new ServiceUnavailable({ ...fields, retryAfter: someTime })
    case 507:
      return yield* new InsufficientStorage(fields)
  }
})
