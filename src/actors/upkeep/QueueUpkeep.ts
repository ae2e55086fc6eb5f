import { Clock, Duration, Effect, Layer, Metric, Option, Schedule } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { DocumentStore } from "../../services/store/DocumentStore.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { announceEnd } from "../document/FinishDocument.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { untraced } from "../../observability/Untraced.ts"

/** The number of documents that expire in one transaction. */
const expiryPortion = 256

/**
 * Finds work for which no message was sent. When the engine starts: all queued documents. Then, every second: documents whose
 * lease has run out, documents that have become due, and documents that have waited too long.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const store = yield* DocumentStore
    const directory = yield* TenantDirectory
    const engine = yield* PdfEngine
    const { globalDocuments, queueTtl } = yield* EngineConfig
    yield* Metric.update(Telemetry.gateLimit.of("global"), globalDocuments)
    yield* Metric.update(Telemetry.gateLimit.of("worker"), engine.capacity)

    const wake = (tenants: ReadonlyArray<TenantId>) =>
      Effect.forEach(tenants, (tenant) => directory.tell(tenant, { _tag: "Wake" }), { discard: true })

    let replacedBefore = 0
    const measureWorkers = Effect.gen(function* () {
      const { replaced, workers } = yield* engine.status
      yield* Metric.update(Telemetry.workersAlive, workers.length)
      yield* Metric.update(
        Telemetry.workersRss,
        workers.reduce((sum, worker) => sum + worker.rssBytes, 0)
      )
      yield* Metric.update(Telemetry.workersReplaced, replaced - replacedBefore)
      replacedBefore = replaced
    })

    const announce = Effect.fn("Sweeper.expire")((expired: ReadonlyArray<Document>) =>
      Effect.forEach(expired, announceEnd, { discard: true })
    )

    const expire = Effect.fnUntraced(function* (now: number, ttlMillis: number) {
      for (let full = true; full;) {
        const expired = yield* untraced(store.expireQueued(now - ttlMillis, now, expiryPortion))
        if (expired.length > 0) yield* announce(expired)
        full = expired.length === expiryPortion
      }
    })

    const wakeFound = Effect.fn("Sweeper.wake")(wake)

    const measure = Effect.fnUntraced(function* (now: number) {
      const { waiting, running } = yield* store.stats()
      yield* Metric.update(Telemetry.documentsWaiting, waiting)
      yield* Metric.update(Telemetry.documentsRunning, running)
      const oldest = Option.getOrElse(yield* store.oldestQueued(), () => now)
      yield* Metric.update(Telemetry.oldestQueuedAge, Math.max(0, now - oldest) / 1000)
      yield* Metric.update(Telemetry.mailboxDepth, yield* directory.waiting)
      yield* measureWorkers
    })

    const sweep = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const found = [...(yield* untraced(store.reclaimExpired(now))), ...(yield* untraced(store.queueDue(now)))]
      if (found.length > 0) yield* wakeFound(found)
      if (queueTtl !== undefined) yield* expire(now, Duration.toMillis(queueTtl))
      yield* untraced(measure(now))
    })

    const wakeQueued = Effect.flatMap(store.tenantsWithQueued, wake)
    yield* wakeQueued
    // Repeated, because another process may have given documents back when it ended, and its messages were lost with it.
    yield* wakeQueued.pipe(
      Effect.catchTag("StoreUnavailable", (error) => Effect.logWarning(error.message, error.cause)),
      Effect.catchDefect((defect) => Effect.logError("the queues were not looked through", defect)),
      Effect.schedule(Schedule.spaced("30 seconds")),
      Effect.forkScoped
    )
    yield* sweep.pipe(
      Effect.catchTag("StoreUnavailable", (error) => Effect.logWarning(error.message, error.cause)),
      Effect.catchDefect((defect) => Effect.logError("a sweep failed", defect)),
      Effect.repeat(Schedule.spaced("1 second")),
      Effect.forkScoped
    )
  })
)
