import { Clock, Effect, Option } from "effect"
import { Document, isTerminal } from "../../domain/document/Document.ts"
import type { Waiting } from "../../domain/document/Waiting.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { TenantState } from "../../domain/tenant/TenantState.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import type { QueueStatus } from "../Ingestion.ts"
import { UsageMeter } from "../scheduling/UsageMeter.ts"
import { RunnerRegister } from "../../services/runners/RunnerRegister.ts"
import { StageWaits } from "../stages/StageWaits.ts"
import { RetryTracker } from "../retries/RetryTracker.ts"
import { WaitEstimator } from "./WaitEstimator.ts"

/** What tenants see of their queues, and of the documents that wait in them. */
export const makeStatus = Effect.gen(function* () {
  const queue = yield* DocumentQueue
  const queueStats = yield* QueueStats
  const config = yield* EngineConfig
  const registry = yield* TenantRegistry
  const estimator = yield* WaitEstimator
  const meter = yield* UsageMeter
  const retries = yield* RetryTracker
  const register = yield* RunnerRegister
  const stageWaits = yield* StageWaits

  const queueStatus = Effect.fn("Ingestion.queueStatus")(function* (tenant?: TenantId) {
    const { waiting, running, maxWaiting, maxRunning, processed, failed } = yield* queueStats.stats(tenant)
    // A tenant's documents run in one process.
    const concurrency =
      tenant === undefined
        ? (register.totals()?.permits ?? config.globalDocuments)
        : Math.min((yield* registry.limits(tenant)).documents, config.globalDocuments)
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

  /** The document, with why it waits and for how long. */
  const describe = Effect.fnUntraced(function* (document: Document) {
    if (isTerminal(document.status)) return document
    const nextAttemptAt = document.status === "running" ? yield* retries.nextAttempt(document.id) : undefined
    const estimated = yield* estimator.waiting(document, nextAttemptAt)
    const downstream = estimated?.gate === "page" ? stageWaits.waitsFor(document.id) : undefined
    // When it will have ended depends on the downstream, of which the estimate knows nothing.
    const waiting: Waiting | undefined = downstream === undefined ? estimated : { gate: `downstream:${downstream}` }
    return new Document({
      ...document,
      timings: { ...document.timings, ...(nextAttemptAt && { nextAttemptAt }) },
      ...(waiting && { waiting })
    })
  })

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

  return { queueStatus, describe, tenantState }
})
