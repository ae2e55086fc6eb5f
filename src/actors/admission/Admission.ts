import { Clock, DateTime, Effect, Fiber, FiberSet, Metric, type Redacted, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { defaultPriority, type Document } from "../../domain/document/Document.ts"
import { type Failure, failure } from "../../domain/Failure.ts"
import { type BlobHash, DocumentId, type TenantId } from "../../domain/Ids.ts"
import { cutText } from "../../domain/Text.ts"
import { BlobStore, BlobStoreUnavailable, BlobTooLarge } from "../../services/BlobStore.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { DocumentStore } from "../../services/store/DocumentStore.ts"
import { Documents } from "../../services/store/Documents.ts"
import type { BacklogLimits, NewDocument } from "../../services/store/NewDocument.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { type QueueFull, QuotaReached, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { Events } from "../../services/Events.ts"
import { Secrets } from "../../services/Secrets.ts"
import { type ResolvedSource, Sources } from "../../services/Sources.ts"
import { StorageFull, StorageHealth } from "../../services/StorageHealth.ts"
import * as Log from "../../observability/Log.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { type TenantLimits, TenantRegistry } from "../../services/TenantRegistry.ts"
import { BytesInFlight } from "./BytesInFlight.ts"
import { longestWaitSeconds } from "./retryAfter/RetryAfterSlots.ts"
import { RetryAfterEstimator } from "./retryAfter/RetryAfterEstimator.ts"
import { LimitReached, ShuttingDown, SubmissionRejected, Submitted, type SubmitOptions } from "../Ingestion.ts"
import { RateLimits } from "./RateLimits.ts"
import { onlyPdf } from "./PdfSignature.ts"
import { InFlightSubmissions } from "./InFlightSubmissions.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"

/**
 * Makes a durable document of a caller's bytes or of a named source. The steps: check the limits, store the bytes, check that
 * they are a PDF, commit the document, wake the tenant. A step that fails leaves nothing that a caller could see.
 *
 * The limits are checked in this order: size, rate, bytes in flight, backlog; the tenant's first, then the global ones. A
 * refusal reads nothing of the upload and writes nothing, so it costs little beside its HTTP request.
 */

const maxNameLength = 1024

const rejected = (reason: Failure) => new SubmissionRejected({ failure: reason })
const tooLarge = ({ message }: BlobTooLarge) => rejected(failure("TOO_LARGE", `the upload has ${message}`))

const backlogOf = (queueSize: number, { backlog, maxStoredBytes }: TenantLimits): BacklogLimits => ({
  tenant: backlog,
  global: queueSize,
  storedBytes: maxStoredBytes
})

/** The limit or the reason that refused a submission; `undefined` for errors of the caller's own stream. */
const refusal = (error: unknown): Telemetry.Refusal | undefined => {
  if (error instanceof SubmissionRejected) return error.failure.code
  if (error instanceof LimitReached) return error.limit
  if (error instanceof ShuttingDown) return "shutting_down"
  if (error instanceof QuotaReached) return "tenant_storage"
  if (error instanceof StorageFull) return "storage_full"
  return error instanceof StoreUnavailable || error instanceof BlobStoreUnavailable ? "unavailable" : undefined
}

/** Counts bytes as they arrive; fails when they exceed a limit or the free space. */
type CountAdmitted = (bytes: number) => Effect.Effect<void, LimitReached | StorageFull>

/** The fields come from a valid document, so they are not checked again. */
const unchecked = { disableChecks: true }

const noPassword = Effect.succeed({ sealedPassword: undefined, passwordKey: undefined })

export const make = Effect.gen(function* () {
  const { queueSize, uploadSize } = yield* EngineConfig
  const largest = Number(uploadSize)
  const queue = yield* DocumentQueue
  const documents = yield* Documents
  const queueStats = yield* QueueStats
  const store = yield* DocumentStore
  const blobs = yield* BlobStore
  const registry = yield* TenantRegistry
  const retryEstimator = yield* RetryAfterEstimator
  const rates = yield* RateLimits
  const inFlight = yield* BytesInFlight
  const submissions = yield* InFlightSubmissions
  const sources = yield* Sources
  const secrets = yield* Secrets
  const events = yield* Events
  const directory = yield* TenantDirectory
  const random = yield* SecureRandom.SecureRandom
  const storage = yield* StorageHealth

  const backlogLimits = (tenant: TenantId) =>
    Effect.map(registry.limits(tenant), (limits) => backlogOf(queueSize, limits))

  /** The error for a full backlog, with the time until the backlog has a place for the tenant. */
  const limitReached = Effect.fnUntraced(function* (
    tenant: TenantId,
    { limit, scope }: Pick<QueueFull, "limit" | "scope">
  ) {
    // The backlog of a paused tenant does not drain, and the time of its resumption is unknown.
    const paused = scope === "tenant" && (yield* queue.isPaused(tenant))
    const retryAfterSeconds = paused ? longestWaitSeconds : yield* retryEstimator.retryAfter(scope, tenant, limit)
    return yield* new LimitReached({ limit: `${scope}_queue`, allowed: limit, retryAfterSeconds })
  })

  /** A cheap check before anything is read. The store checks again, exactly, when the document is committed. */
  const refuseWhenFull = Effect.fnUntraced(function* (tenant: TenantId, limits: BacklogLimits, size = 1) {
    const own = yield* queueStats.stats(tenant)
    if (own.waiting >= limits.tenant) return yield* limitReached(tenant, { scope: "tenant", limit: limits.tenant })
    if (limits.storedBytes !== undefined && own.storedBytes + size > limits.storedBytes)
      return yield* new QuotaReached({ limit: limits.storedBytes, storedBytes: own.storedBytes })
    const all = yield* queueStats.stats()
    if (all.waiting >= limits.global) return yield* limitReached(tenant, { scope: "global", limit: limits.global })
    if (own.waiting + own.running === 0) yield* retryEstimator.begin(tenant)
    if (all.waiting + all.running === 0) yield* retryEstimator.begin()
  })

  const storeBytes = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>, count: CountAdmitted) =>
    blobs.put(onlyPdf(bytes, rejected, count), largest, { withDocument: true }).pipe(
      Effect.trackDuration(Telemetry.blobPutDuration),
      Effect.tap((stored) => Metric.update(Telemetry.blobPutBytes, stored.size)),
      Effect.catchIf(
        (error): error is BlobTooLarge => error instanceof BlobTooLarge,
        (error) => Effect.fail(tooLarge(error))
      )
    )

  /** Seals a password for the store. */
  const seal = Effect.fnUntraced(function* (tenant: TenantId, password: Redacted.Redacted) {
    return {
      sealedPassword: yield* secrets.seal(password),
      passwordKey: yield* secrets.fingerprint(password, `password of ${tenant}`)
    }
  })

  const sealed = (tenant: TenantId, password: Redacted.Redacted | undefined) =>
    password === undefined ? noPassword : seal(tenant, password)

  const fork = yield* FiberSet.makeRuntime<never>()
  const announce = ({ id, name, tenantId }: Document) =>
    Effect.andThen(
      events.publish({ _tag: "DocumentAccepted", tenantId, documentId: id, name }),
      directory.tell(tenantId, { _tag: "Wake" })
    )

  /** Runs to its end even if the caller goes away: the tenant's actor has to learn of a committed document. */
  const commit = Effect.fnUntraced(function* (tenant: TenantId, source: NewDocument["source"], options: SubmitOptions) {
    const id = DocumentId.make(yield* random.uuidV7())
    // Runs while the disk still flushes the commit: what a run writes is flushed later, so it counts only if the commit does.
    let announced: Fiber.Fiber<void> | undefined
    const committed = (made: Document) => {
      if (made.id === id) announced = fork(announce(made))
    }
    const document = yield* queue
      .accept(
        {
          id,
          tenantId: tenant,
          name: cutText(options.name, maxNameLength),
          source,
          priority: options.priority ?? defaultPriority,
          notBefore: options.notBefore && DateTime.toEpochMillis(options.notBefore),
          ...(yield* sealed(tenant, options.password)),
          callback: options.callback,
          reuse: options.force !== true,
          trace: yield* TraceContext.current,
          acceptedAt: yield* Clock.currentTimeMillis
        },
        yield* backlogLimits(tenant),
        committed
      )
      .pipe(Effect.catchTag("QueueFull", (full) => limitReached(tenant, full)))
    const { id: documentId, status } = document
    if (documentId !== id) {
      yield* Metric.update(Telemetry.documentsReused, 1)
      yield* Effect.annotateCurrentSpan(Telemetry.documentAttributes({ tenantId: tenant, documentId }))
      return new Submitted({ ...document, duplicateOf: documentId }, unchecked)
    }
    const attributes = Telemetry.documentAttributes({ tenantId: tenant, documentId })
    yield* Metric.update(Telemetry.documentsAccepted, 1)
    yield* Effect.annotateCurrentSpan(attributes)
    yield* Log.line("Info", "document accepted", () => ({ ...attributes, status }))
    yield* announced === undefined ? announce(document) : Fiber.await(announced)
    return new Submitted(document, unchecked)
  }, Effect.uninterruptible)

  /** Takes a token of the tenant's rate, and gives it back if another limit refuses the admission. */
  const withinRate = <A, E, R>(tenant: TenantId, admission: (limits: TenantLimits) => Effect.Effect<A, E, R>) =>
    Effect.flatMap(registry.limits(tenant), (limits) =>
      Effect.andThen(
        rates.take(tenant, limits),
        Effect.tapError(admission(limits), (error) =>
          error instanceof LimitReached || error instanceof StorageFull || error instanceof QuotaReached
            ? rates.giveBack(tenant)
            : Effect.void
        )
      )
    )

  /** Uploads in flight count in full, though some of their bytes are already on the disk. */
  const roomForAll = Effect.suspend(() => storage.checkRoom(inFlight.bytes()))

  /** Runs the admission if the tenant's rate, the bytes in flight, the free space and the backlogs allow it. */
  const withinLimits = <A, E, R>(
    tenant: TenantId,
    size: number | undefined,
    admission: (count: CountAdmitted) => Effect.Effect<A, E, R>
  ) =>
    withinRate(tenant, (limits) =>
      inFlight.hold(tenant, size, (count) =>
        Effect.andThen(roomForAll, refuseWhenFull(tenant, backlogOf(queueSize, limits), size)).pipe(
          Effect.andThen(admission((bytes) => Effect.andThen(count(bytes), storage.checkRoom(bytes))))
        )
      )
    )

  /** Queues a document again for its failed pages. A full backlog refuses it like a submission. */
  const retry = Effect.fn("Ingestion.retry")(function* (
    tenant: TenantId,
    id: DocumentId,
    options: { readonly password?: Redacted.Redacted | undefined } = {}
  ) {
    const again = Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const password = yield* sealed(tenant, options.password)
      const retried = documents.retry(tenant, id, { ...password, at }, yield* backlogLimits(tenant))
      const document = yield* Effect.catchTag(retried, "QueueFull", (full) => limitReached(tenant, full))
      yield* Metric.update(Telemetry.documentsRequeued.of("retried"), 1)
      yield* events.publish({ _tag: "DocumentRequeued", tenantId: tenant, documentId: id, attempt: document.attempt })
      yield* directory.tell(tenant, { _tag: "Wake" })
      return document
    })
    return yield* submissions.track(withinRate(tenant, () => Effect.uninterruptible(again)))
  })

  /**
   * Finds a blob that a document of the tenant refers to; the hash of another tenant's blob is refused. The touch protects the
   * blob from removal until the submission has ended.
   */
  const ownBlob = Effect.fnUntraced(function* (tenant: TenantId, hash: BlobHash) {
    const unknown = rejected(failure("SOURCE_REFUSED", `there is no blob ${hash}`))
    if (!(yield* store.refersTo(hash, tenant))) return yield* unknown
    const size = yield* blobs.touch(hash).pipe(Effect.catchTag("BlobLost", () => Effect.fail(unknown)))
    return { _tag: "Blob", hash, size } as const
  })

  /** Runs an admission as a submission in flight, and counts the reason if it is refused. */
  const admit = <A, E, R>(admission: Effect.Effect<A, E, R>) =>
    Effect.tapError(submissions.track(admission), (error) => {
      const reason = refusal(error)
      return reason === undefined ? Effect.void : Metric.update(Telemetry.documentsRefused.of(reason), 1)
    })

  const submit = TraceContext.traced(
    "Ingestion.submit",
    <E, R>(tenant: TenantId, bytes: Uint8Array | Stream.Stream<Uint8Array, E, R>, options: SubmitOptions) => {
      const [stream, size] = Stream.isStream(bytes) ? [bytes, options.size] : [Stream.make(bytes), bytes.byteLength]
      if (size !== undefined && size > largest) {
        return admit(Effect.fail(tooLarge(new BlobTooLarge({ limit: largest }))))
      }
      return admit(
        withinLimits(tenant, size, (count) =>
          Effect.flatMap(storeBytes(stream, count), (stored) => commit(tenant, { _tag: "Blob", ...stored }, options))
        )
      )
    }
  )

  const submitSource = Effect.fn("Ingestion.submitSource")(
    function* (
      tenant: TenantId,
      text: string,
      options: Omit<SubmitOptions, "name"> & { readonly name?: string | undefined }
    ) {
      const admission = Effect.fnUntraced(function* (count: CountAdmitted) {
        const source: ResolvedSource = yield* sources.resolve(text)
        const name = options.name ?? (source._tag === "Blob" ? source.hash : source.name)
        const origin =
          source._tag === "Blob"
            ? yield* ownBlob(tenant, source.hash)
            : source._tag === "Url"
              ? source
              : { _tag: "Blob" as const, ...(yield* storeBytes(sources.readFile(source.path), count)) }
        return yield* commit(tenant, origin, { ...options, name })
      })
      return yield* withinLimits(tenant, undefined, admission)
    },
    Effect.catchTag(["SourceRefused", "SourceUnavailable"], (error) => Effect.fail(rejected(error.failure))),
    admit
  )

  return { submit, submitSource, retry }
})
