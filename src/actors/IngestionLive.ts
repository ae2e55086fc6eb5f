import { Clock, Effect, Fiber, Layer, Option, Stream } from "effect"
import { Document, isTerminal } from "../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import type { TenantLimitsPatch } from "../domain/tenant/TenantLimits.ts"
import type { TenantState } from "../domain/tenant/TenantState.ts"
import { BlobStore } from "../services/BlobStore.ts"
import { DocumentQueue } from "../services/store/DocumentQueue.ts"
import { Documents } from "../services/store/Documents.ts"
import { QueueStats } from "../services/store/QueueStats.ts"
import type { DocumentNotFound, StoreUnavailable } from "../services/store/StoreErrors.ts"
import { EngineConfig } from "../services/config/EngineConfig.ts"
import { Events } from "../services/Events.ts"
import { TenantRegistry } from "../services/TenantRegistry.ts"
import * as Admission from "./admission/Admission.ts"
import { announceEnd } from "./document/FinishDocument.ts"
import { makeChangeFeed } from "./changes/ChangeFeed.ts"
import { followDocument } from "./changes/FollowDocument.ts"
import * as IdempotencyKeys from "./admission/IdempotentRequests.ts"
import { Ingestion, type QueueStatus } from "./Ingestion.ts"
import { makeRenderDocument } from "./renderings/RenderDocument.ts"
import { RetryTracker } from "./upkeep/RetryTracker.ts"
import { InFlightSubmissions } from "./admission/InFlightSubmissions.ts"
import { UsageMeter } from "./scheduling/UsageMeter.ts"
import { TenantDirectory } from "./tenant/TenantDirectory.ts"
import { WaitEstimator } from "./estimates/WaitEstimator.ts"

/** Pages read from the store at a time when a whole text is streamed, unless their texts are long. */
const textPortion = { limit: 50, bytes: 256 * 1024, detail: false }

/** The `Ingestion` of this engine, on its actors and its store. */
export const layer = Layer.effect(
  Ingestion,
  Effect.gen(function* () {
    const queue = yield* DocumentQueue
    const documents = yield* Documents
    const queueStats = yield* QueueStats
    const blobs = yield* BlobStore
    const events = yield* Events
    const config = yield* EngineConfig
    const registry = yield* TenantRegistry
    const directory = yield* TenantDirectory
    const estimator = yield* WaitEstimator
    const meter = yield* UsageMeter
    const submissions = yield* InFlightSubmissions
    const retries = yield* RetryTracker
    const scope = yield* Effect.scope
    const keys = yield* IdempotencyKeys.make
    const admission = yield* Admission.make
    const render = yield* makeRenderDocument(documents)
    const services = yield* Effect.context<
      Effect.Services<ReturnType<typeof announceEnd>> | Stream.Services<ReturnType<typeof followDocument>>
    >()

    const announce = (document: Parameters<typeof announceEnd>[0]) =>
      Effect.provideContext(announceEnd(document), services)

    const end = Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId) {
      const before = yield* documents.find(tenant, id)
      if (isTerminal(before.status)) return before
      const document = yield* documents.cancel(tenant, id, yield* Clock.currentTimeMillis)
      yield* directory.tell(tenant, { _tag: "Stop", documentId: id, attempt: document.attempt })
      if (document.status === "cancelled") yield* announce(document)
      return document
    })

    /** Cancels in progress. A second cancel of the same document joins the first, so that the end is announced once. */
    const ending = new Map<string, Fiber.Fiber<Document, DocumentNotFound | StoreUnavailable>>()
    /** Runs to its end even if the caller goes away: the tenant's actor has to learn of a committed cancel. */
    const cancel = Effect.fn("Ingestion.cancel")(function* (tenant: TenantId, id: DocumentId) {
      const key = `${tenant} ${id}`
      const started =
        ending.get(key) ??
        (yield* end(tenant, id).pipe(
          Effect.ensuring(Effect.sync(() => ending.delete(key))),
          Effect.uninterruptible,
          Effect.forkIn(scope)
        ))
      if (started.pollUnsafe() === undefined) ending.set(key, started)
      return yield* Fiber.join(started)
    })

    const remove = Effect.fn("Ingestion.remove")(function* (tenant: TenantId, id: DocumentId) {
      yield* cancel(tenant, id)
      const unused = yield* documents.remove(tenant, id)
      if (Option.isSome(unused)) yield* blobs.remove(unused.value, yield* submissions.settledBefore)
    })

    const withdraw = Effect.fn("Ingestion.withdraw")(function* (tenant: TenantId, id: DocumentId, shares = 0) {
      const removed = yield* documents.withdraw(tenant, id, shares)
      if (Option.isNone(removed)) return
      const { attempt, status, unusedBlob } = removed.value
      yield* directory.tell(tenant, { _tag: "Stop", documentId: id, attempt })
      if (!isTerminal(status)) yield* announce({ tenantId: tenant, id, status: "cancelled" })
      if (unusedBlob !== undefined) yield* blobs.remove(unusedBlob, yield* submissions.settledBefore)
    }, Effect.uninterruptible)

    const resume = Effect.fn("Ingestion.resume")(function* (tenant: TenantId) {
      yield* queue.setPaused(tenant, false)
      yield* directory.tell(tenant, { _tag: "Wake" })
    }, Effect.uninterruptible)

    const setLimits = Effect.fn("Ingestion.setLimits")(function* (
      tenant: TenantId,
      patch: TenantLimitsPatch,
      paused?: boolean
    ) {
      const pausing = paused === undefined ? undefined : { paused, write: queue.setPaused(tenant, paused) }
      const limits = yield* registry.update(tenant, patch, pausing)
      yield* directory.tell(tenant, { _tag: "Wake" })
      return limits
    }, Effect.uninterruptible)

    const textFrom = (tenant: TenantId, id: DocumentId) =>
      Stream.paginate(1, (from: number) =>
        Effect.map(documents.pages(tenant, id, { from, ...textPortion }), (pages) => {
          const next = Option.map(Option.fromUndefinedOr(pages.at(-1)), ({ number }) => number + 1)
          return [pages.map((page) => page.text), next] as const
        })
      )

    const queueStatus = Effect.fn("Ingestion.queueStatus")(function* (tenant?: TenantId) {
      const { waiting, running, maxWaiting, maxRunning, processed, failed } = yield* queueStats.stats(tenant)
      const own = tenant === undefined ? config.globalDocuments : (yield* registry.limits(tenant)).documents
      const concurrency = Math.min(own, config.globalDocuments)
      const paused = tenant !== undefined && (yield* queue.isPaused(tenant))
      const status: QueueStatus = {
        waiting,
        maxWaiting,
        running,
        maxRunning,
        concurrency,
        processed,
        failed,
        paused,
        estimatedWaitSeconds: paused ? undefined : Math.ceil((yield* estimator.untilStartMillis(tenant)) / 1000)
      }
      return status
    })

    const describe = Effect.fnUntraced(function* (document: Document) {
      if (isTerminal(document.status)) return document
      const nextAttemptAt = document.status === "running" ? yield* retries.nextAttempt(document.id) : undefined
      const waiting = yield* estimator.waiting(document, nextAttemptAt)
      return new Document({
        ...document,
        timings: { ...document.timings, ...(nextAttemptAt && { nextAttemptAt }) },
        ...(waiting && { waiting })
      })
    })

    const feed = yield* makeChangeFeed({ queueStatus, describe })

    const tenantState = Effect.fn("Ingestion.tenant")(function* (tenantId: TenantId) {
      const now = yield* Clock.currentTimeMillis
      const { running, storedBytes, waiting: backlog } = yield* queueStats.stats(tenantId)
      const oldest = yield* queueStats.oldestQueued(tenantId)
      const limits = yield* registry.limits(tenantId)
      const state: TenantState = {
        tenantId,
        paused: yield* queue.isPaused(tenantId),
        limits: { ...limits, burst: limits.rate === undefined ? undefined : limits.burst },
        backlog,
        running,
        storedBytes,
        ...(Option.isSome(oldest) && { oldestSeconds: Math.max(0, now - oldest.value) / 1000 }),
        share: yield* meter.share(tenantId),
        noisy: yield* estimator.noisy(tenantId),
        fairness: yield* meter.fairness
      }
      return state
    })

    return Ingestion.of({
      ...admission,
      status: Effect.fn("Ingestion.status")(function* (tenant, id) {
        return yield* describe(yield* documents.find(tenant, id, "outline"))
      }),
      find: documents.find,
      list: Effect.fn("Ingestion.list")((tenant, options) => documents.list(tenant, options)),
      pages: Effect.fn("Ingestion.pages")(function* (tenant, id, options) {
        yield* documents.find(tenant, id)
        return yield* documents.pages(tenant, id, options)
      }),
      text: Effect.fn("Ingestion.text")((tenant, id) => Effect.as(documents.find(tenant, id), textFrom(tenant, id))),
      render,
      cancel,
      remove,
      withdraw,
      pause: Effect.fn("Ingestion.pause")((tenant) => queue.setPaused(tenant, true)),
      resume,
      setLimits,
      ...keys,
      queueStatus,
      tenant: tenantState,
      events: (tenant) =>
        Stream.unwrap(
          Effect.map(
            events.subscribe,
            Stream.filter((event) => event.tenantId === tenant)
          )
        ),
      follow: (tenant, id) => Stream.provideContext(followDocument(tenant, id), services),
      watch: feed.watch,
      watchDocument: feed.watchDocument,
      changed: feed.changed,
      watching: Effect.sync(feed.held),
      accepting: submissions.accepting
    })
  })
)
