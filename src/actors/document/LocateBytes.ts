import { Effect, Metric } from "effect"
import { failure } from "../../domain/Failure.ts"
import type { BlobHash, TenantId } from "../../domain/Ids.ts"
import { BlobStore } from "../../services/BlobStore.ts"
import type { Claim } from "../../services/store/Claim.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { QuotaReached } from "../../services/store/StoreErrors.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import type { PdfRef } from "../../services/PdfEngine.ts"
import { Secrets } from "../../services/secrets/Secrets.ts"
import { Sources } from "../../services/Sources.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { DocumentFailed } from "./FinishDocument.ts"
import { retryingStore, sourceRetry } from "../retries/RetryPolicies.ts"
import { RetryTracker } from "../retries/RetryTracker.ts"
import { acceptedBy, onlyAccepted } from "../admission/FileHead.ts"
import type { Pipeline } from "../../services/pipelines/Pipelines.ts"
import type { RunTimeBudget } from "./RunTimeBudget.ts"
import { makeUploads, type Upload } from "../admission/UploadReference.ts"

/** Finds the document's bytes and its password. Fetches the bytes first if they lie elsewhere. */
export const locate = TraceContext.traced(
  "DocumentActor.locate",
  (claim: Claim, budget: RunTimeBudget, source: Pipeline["source"]) => locateBytes(claim, budget, source)
)

const locateBytes = Effect.fnUntraced(function* (claim: Claim, budget: RunTimeBudget, source: Pipeline["source"]) {
  const blobs = yield* BlobStore
  const { document } = claim
  const hash = document.blob ?? (yield* budget.run(fetchSource(claim, source)))
  const location = yield* blobs.locate(hash).pipe(
    retryingStore,
    Effect.catchTag("BlobLost", (error) => Effect.fail(DocumentFailed.of(failure("BLOB_LOST", error.message))))
  )
  const password = yield* unseal(claim.sealedPassword)
  const pdf: PdfRef = { key: document.id, location, password }
  return pdf
})

/** Fetches the bytes and records them. No document refers to them before, so there is a reference to them meanwhile. */
const fetchSource = (claim: Claim, source: Pipeline["source"]) =>
  Effect.flatMap(makeUploads, (withUpload) => withUpload((upload) => fetchInto(claim, source, upload))).pipe(
    // The store was not available for as long as a reference lasts. The bytes may be gone, so they are fetched again.
    Effect.retry({ while: (error) => error._tag === "BlobReferenceExpired" })
  )

const fetchInto = Effect.fnUntraced(function* (
  claim: Claim,
  source: Pipeline["source"],
  { reference, reserve }: Upload
) {
  const { uploadSize } = yield* EngineConfig
  const blobs = yield* BlobStore
  const sources = yield* Sources
  const queue = yield* DocumentQueue
  const retries = yield* RetryTracker
  const url = claim.document.sourceUrl
  if (url === undefined)
    return yield* DocumentFailed.of(failure("BLOB_LOST", "the document has neither bytes nor a source"))
  const blob = yield* blobs
    .put(
      onlyAccepted(
        sources.fetch(url, claim.document.tenantId),
        acceptedBy(source, claim.document.name),
        DocumentFailed.of
      ),
      Number(uploadSize),
      { reserve: (hash) => retryingStore(reserve(hash)) }
    )
    .pipe(
      retries.retry(claim.document.id, {
        schedule: sourceRetry,
        while: (error) => error._tag === "SourceUnavailable" && error.retryable
      }),
      Effect.catchTag(["SourceUnavailable", "SourceRefused"], (error) => Effect.fail(DocumentFailed.of(error.failure))),
      Effect.catchTag("BlobTooLarge", (error) => Effect.fail(DocumentFailed.of(failure("TOO_LARGE", error.message)))),
      Effect.tap(Metric.update(Telemetry.sourceFetches.of("fetched"), 1)),
      Effect.tapErrorTag("DocumentFailed", () => Metric.update(Telemetry.sourceFetches.of("failed"), 1))
    )
  yield* refuseBeyondQuota(claim.document.tenantId, blob.size)
  yield* retryingStore(queue.fetched(claim.fence, blob, reference()))
  return blob.hash satisfies BlobHash
})

/** Checks the tenant's quota. The size of a source is known only after it has been fetched. */
const refuseBeyondQuota = Effect.fnUntraced(function* (tenant: TenantId, size: number) {
  const { maxStoredBytes } = yield* Effect.flatMap(TenantRegistry, (registry) => registry.limits(tenant))
  if (maxStoredBytes === undefined) return
  const { storedBytes } = yield* retryingStore(QueueStats.use((queueStats) => queueStats.stats(tenant)))
  if (storedBytes + size <= maxStoredBytes) return
  const { message } = new QuotaReached({ limit: maxStoredBytes, storedBytes })
  return yield* DocumentFailed.of(failure("STORAGE_QUOTA", message))
})

const unseal = (sealed: string | undefined) =>
  sealed === undefined
    ? Effect.undefined
    : Effect.flatMap(Secrets, (secrets) => secrets.open(sealed)).pipe(
        Effect.catchTag("SealBroken", (error) =>
          Effect.fail(DocumentFailed.of(failure("PASSWORD_REQUIRED", error.message)))
        )
      )
