import { Clock, Effect, Layer, Metric, Schedule } from "effect"
import type { TenantId } from "../domain/Ids.ts"
import { DocumentStore } from "../services/DocumentStore.ts"
import { PdfEngine } from "../services/PdfEngine.ts"
import * as Telemetry from "../services/Telemetry.ts"
import { TenantDirectory } from "./TenantDirectory.ts"

/**
 * Finds work that nobody was told of: everything queued when the engine starts; then, every second, documents whose lease
 * has run out and documents whose time has come.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const store = yield* DocumentStore
    const directory = yield* TenantDirectory
    const engine = yield* PdfEngine

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

    const sweep = Effect.fn("Sweeper.sweep")(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* wake(yield* store.reclaimExpired(now))
      yield* wake(yield* store.queueDue(now))
      const { waiting, running } = yield* store.stats()
      yield* Metric.update(Telemetry.documentsWaiting, waiting)
      yield* Metric.update(Telemetry.documentsRunning, running)
      yield* Metric.update(Telemetry.mailboxDepth, yield* directory.waiting)
      yield* measureWorkers
    })

    yield* Effect.flatMap(store.tenantsWithQueued, wake)
    yield* sweep().pipe(
      Effect.catchTag("StoreUnavailable", (error) => Effect.logWarning(error.message, error.cause)),
      Effect.repeat(Schedule.spaced("1 second")),
      Effect.forkScoped
    )
  })
)
