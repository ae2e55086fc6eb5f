import { Effect } from "effect"
import type { BlobStoreUnavailable } from "../../../services/BlobStore.ts"
import type { DocumentNotFound, StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import { failedForSpace } from "../../../services/StorageHealth.ts"
import { NotFound, ServiceUnavailable, someTime } from "./Problems.ts"

/** Maps the errors of requests about existing documents to problems. */

const storeCodes = {
  StoreUnavailable: "STORE_UNAVAILABLE",
  BlobStoreUnavailable: "BLOB_STORE_UNAVAILABLE"
} as const

export const storageFull = {
  code: "STORAGE_FULL",
  advice: "Try again later: the operator has to make room, or documents have to be removed."
} as const

/** The code of a failed store, and what to do. */
export const storeFailure = (error: StoreUnavailable | BlobStoreUnavailable) =>
  failedForSpace(error) ? storageFull : ({ code: storeCodes[error._tag], advice: "Try again soon." } as const)

export const unavailable = Effect.fnUntraced(function* (error: StoreUnavailable | BlobStoreUnavailable) {
  yield* Effect.logWarning("request failed", error)
  return yield* new ServiceUnavailable({
    ...storeFailure(error),
    detail: error.message,
    retryAfter: someTime
  })
})

export const storeProblems = <A, R>(effect: Effect.Effect<A, StoreUnavailable, R>) =>
  Effect.catchTag(effect, "StoreUnavailable", unavailable)

export const notFound = (error: DocumentNotFound) =>
  Effect.fail(new NotFound({ code: "DOCUMENT_NOT_FOUND", detail: error.message }))

export const documentProblems = <A, R>(
  effect: Effect.Effect<A, DocumentNotFound | StoreUnavailable | BlobStoreUnavailable, R>
) =>
  Effect.catchTags(effect, {
    DocumentNotFound: notFound,
    StoreUnavailable: unavailable,
    BlobStoreUnavailable: unavailable
  })
