import { Data, Duration, Effect, Metric, Schema } from "effect"
import { Failure, failure } from "../domain/Failure.ts"
import type { BlobHash, TenantId } from "../domain/Ids.ts"
import { BlobStore } from "../services/BlobStore.ts"
import { type Claim, DocumentStore, QuotaReached } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import {
  type EngineUnavailable,
  type HeadWanted,
  type OpenedWithHead,
  PdfEngine,
  PdfEngineError,
  type PdfRef,
  type PdfUnreadable,
  type WorkerDied
} from "../services/PdfEngine.ts"
import { Secrets } from "../services/Secrets.ts"
import { Sources } from "../services/Sources.ts"
import * as Telemetry from "../services/Telemetry.ts"
import { TenantRegistry } from "../services/TenantRegistry.ts"
import * as TraceContext from "../services/TraceContext.ts"
import { inTurn } from "./Gate.ts"
import { type PageGate, throughPageGate } from "./PageGate.ts"
import { PageScheduler, type Turn } from "./PageScheduler.ts"
import { maxConcurrencyPerWorker, openRetry, retryingStore, sourceRetry } from "./Policies.ts"
import { Retries } from "./Retries.ts"
import type { Stopwatch } from "./Stopwatch.ts"
import { onlyPdf } from "./Signature.ts"
import { Submissions } from "./Submissions.ts"

/** The document has come to its end: no retry will read it. */
export class DocumentFailed extends Schema.TaggedError<DocumentFailed>()("DocumentFailed", { failure: Failure }) {
  static of(reason: Failure) {
    return new DocumentFailed({ failure: reason })
  }
}

/** Finds the document's bytes, fetching them first if they lie elsewhere, and its password. */
export const locate = TraceContext.traced("DocumentActor.locate", (claim: Claim, stopwatch: Stopwatch) =>
  locateBytes(claim, stopwatch)
)

const locateBytes = Effect.fnUntraced(function* (claim: Claim, stopwatch: Stopwatch) {
  const blobs = yield* BlobStore
  const { document } = claim
  const hash = document.blob ?? (yield* stopwatch.run(fetchSource(claim)))
  const location = yield* blobs.locate(hash).pipe(
    retryingStore,
    Effect.catchTag("BlobLost", (error) => Effect.fail(DocumentFailed.of(failure("BLOB_LOST", error.message))))
  )
  const password = yield* unseal(claim.sealedPassword)
  const pdf: PdfRef = { key: document.id, location, password }
  return pdf
})

/** Opening a file with its first pages took too long. It may be the fault of a page. */
class HeadStalled extends Data.TaggedError("HeadStalled")<{}> {}

/** Pages read along with the opening: many a document has no more, and is done with one turn of one worker. */
const headPages = 8
const estimatedOpenMillis = 10

export interface Opening {
  readonly opened: OpenedWithHead
  /** Pages of which one may have ended or held up a worker. */
  readonly suspects: ReadonlyArray<number>
}

const firstPages = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/**
 * Reads the file's structure in a turn of one worker, and some of its first pages with it. If that goes wrong in a way that a
 * page may be to blame for, the file is opened alone, and these pages are left to be read with more care.
 */
export const openPdf = TraceContext.traced(
  "DocumentActor.open",
  (pdf: PdfRef, turn: Omit<Turn, "estimatedMillis">, stopwatch: Stopwatch, pageGate: PageGate) =>
    openInTurn(pdf, turn, stopwatch, pageGate)
)

const openInTurn = Effect.fnUntraced(function* (
  pdf: PdfRef,
  turn: Omit<Turn, "estimatedMillis">,
  stopwatch: Stopwatch,
  pageGate: PageGate
) {
  const { pageTimeout } = yield* EngineConfig
  const engine = yield* PdfEngine
  const scheduler = yield* PageScheduler
  const pageMillis = Duration.toMillis(pageTimeout)
  const openWith = (head: HeadWanted) =>
    Effect.clockWith((clock) =>
      Effect.suspend(() => engine.open(pdf, head)).pipe(
        Effect.trackDuration(Telemetry.openDuration),
        Effect.tapErrorTag("PdfEngineError", Telemetry.countEngineError),
        stopwatch.runWithin({
          millis: pageMillis,
          orElse: (): Effect.Effect<never, HeadStalled | DocumentFailed> => {
            if (head.pages > 0) return Effect.fail(new HeadStalled())
            const message = `the file could not be opened within ${Duration.format(pageTimeout)}`
            return Effect.fail(DocumentFailed.of(failure("DOCUMENT_TIMEOUT", message)))
          }
        }),
        inTurn(clock.currentTimeMillisUnsafe()),
        scheduler.run({ ...turn, estimatedMillis: estimatedOpenMillis })
      )
    )
  const openAlone = openWith({ pages: 0, concurrency: 1 }).pipe(
    Effect.retry({ schedule: openRetry, while: isWorkerDeath }),
    // Nothing was wanted of the head that could stall.
    Effect.catchTag("HeadStalled", Effect.die),
    Effect.map((opened): Opening => ({ opened, suspects: firstPages(Math.min(headPages, opened.pageCount)) }))
  )
  return yield* throughPageGate(pageGate, Math.min(maxConcurrencyPerWorker, pageGate.limit()), (permits) =>
    openWith({ pages: headPages, concurrency: permits })
  ).pipe(
    Effect.map((opened): Opening => ({ opened, suspects: opened.suspects ?? [] })),
    Effect.catchIf(
      (error) => error._tag === "HeadStalled" || isWorkerDeath(error),
      () => openAlone
    ),
    // Was caught above, which the type does not know.
    Effect.catchTag("HeadStalled", Effect.die),
    Effect.catchTag("PdfEngineError", ({ reason }) => Effect.fail(opening(reason)))
  )
})

const isWorkerDeath = (error: { readonly _tag: string }) =>
  error instanceof PdfEngineError && error.reason._tag === "WorkerDied"

/** What an engine's failure to open the file means for the document. */
const opening = (reason: PdfUnreadable | WorkerDied | EngineUnavailable): DocumentFailed | EngineUnavailable => {
  switch (reason._tag) {
    case "PdfUnreadable":
      return DocumentFailed.of(reason.failure)
    case "WorkerDied":
      return DocumentFailed.of(
        failure(reason.memory ? "RESOURCE_LIMIT" : "CRASHED", `opening the file ended its worker: ${reason.detail}`)
      )
    case "EngineUnavailable":
      return reason
  }
}

const protectingBlobs = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Submissions, (submissions) => submissions.protect(effect))

/** Until the fetched bytes are recorded no document refers to them. */
const fetchSource = Effect.fnUntraced(function* (claim: Claim) {
  const { uploadSize } = yield* EngineConfig
  const blobs = yield* BlobStore
  const sources = yield* Sources
  const store = yield* DocumentStore
  const retries = yield* Retries
  const url = claim.document.sourceUrl
  if (url === undefined)
    return yield* DocumentFailed.of(failure("BLOB_LOST", "the document has neither bytes nor a source"))
  const blob = yield* blobs.put(onlyPdf(sources.fetch(url), DocumentFailed.of), Number(uploadSize)).pipe(
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
  yield* retryingStore(store.fetched(claim.fence, blob))
  return blob.hash satisfies BlobHash
}, protectingBlobs)

/** How large it is shows only when it was fetched. */
const refuseBeyondQuota = Effect.fnUntraced(function* (tenant: TenantId, size: number) {
  const { maxStoredBytes } = yield* Effect.flatMap(TenantRegistry, (registry) => registry.limits(tenant))
  if (maxStoredBytes === undefined) return
  const { storedBytes } = yield* retryingStore(Effect.flatMap(DocumentStore, (store) => store.stats(tenant)))
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
