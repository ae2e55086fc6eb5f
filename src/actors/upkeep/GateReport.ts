/** Metrics of the queues, which all processes share, and of the gates and page workers of this one. */
import { Clock, Effect, Metric, Option } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"

/** Returns what records how much waits and runs, in all processes. It is zero again when the scope closes. */
export const makeQueueReport = Effect.gen(function* () {
  const queueStats = yield* QueueStats
  yield* Effect.addFinalizer(() =>
    Effect.forEach([Telemetry.documentsWaiting, Telemetry.documentsRunning, Telemetry.oldestQueuedAge], (gauge) =>
      Metric.update(gauge, 0)
    )
  )
  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { waiting, running } = yield* queueStats.stats()
    yield* Metric.update(Telemetry.documentsWaiting, waiting)
    yield* Metric.update(Telemetry.documentsRunning, running)
    const oldest = Option.getOrElse(yield* queueStats.oldestQueued(), () => now)
    yield* Metric.update(Telemetry.oldestQueuedAge, Math.max(0, now - oldest) / 1000)
  })
})

/** Records the gates' limits once, and returns what records the mailboxes and the page workers. */
export const makeGateReport = Effect.gen(function* () {
  const directory = yield* TenantDirectory
  const engine = yield* PdfEngine
  const { globalDocuments } = yield* EngineConfig
  yield* Metric.update(Telemetry.gateLimit.of("global"), globalDocuments)
  yield* Metric.update(Telemetry.gateLimit.of("worker"), engine.capacity)
  let replacedBefore = 0

  const recordWorkers = Effect.gen(function* () {
    const { replaced, workers } = yield* engine.status
    const rss = workers.reduce((sum, worker) => sum + worker.rssBytes, 0)
    yield* Metric.update(Telemetry.workersAlive, workers.length)
    yield* Metric.update(Telemetry.workersRss, rss)
    yield* Metric.update(Telemetry.workersReplaced, replaced - replacedBefore)
    replacedBefore = replaced
  })

  return Effect.gen(function* () {
    yield* Metric.update(Telemetry.mailboxDepth, yield* directory.waiting)
    yield* recordWorkers
  })
})
