import { Effect } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { BacklogLimits } from "../../services/store/NewDocument.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { type QueueFull, QuotaReached } from "../../services/store/StoreErrors.ts"
import { StorageFull, StorageHealth } from "../../services/StorageHealth.ts"
import { type TenantLimits, TenantRegistry } from "../../services/TenantRegistry.ts"
import { LimitReached } from "../Ingestion.ts"
import { BytesInFlight } from "./BytesInFlight.ts"
import { RateLimits } from "./RateLimits.ts"
import { RetryAfterEstimator } from "./retryAfter/RetryAfterEstimator.ts"
import { longestWaitSeconds } from "./retryAfter/RetryAfterSlots.ts"

/** Counts bytes as they arrive; fails when they exceed a limit or the free space. */
export type CountAdmitted = (bytes: number) => Effect.Effect<void, LimitReached | StorageFull>

const backlogOf = (queueSize: number, { backlog, maxStoredBytes }: TenantLimits): BacklogLimits => ({
  tenant: backlog,
  global: queueSize,
  storedBytes: maxStoredBytes
})

/** The limits that the store checks when it accepts a document, and the error for a full backlog. */
export const makeBacklogLimits = Effect.gen(function* () {
  const { queueSize } = yield* EngineConfig
  const queue = yield* DocumentQueue
  const registry = yield* TenantRegistry
  const retryEstimator = yield* RetryAfterEstimator

  return {
    of: (tenant: TenantId) => Effect.map(registry.limits(tenant), (limits) => backlogOf(queueSize, limits)),

    /** The error for a full backlog, with the time until the backlog has a place for the tenant. */
    limitReached: Effect.fnUntraced(function* (tenant: TenantId, { limit, scope }: Pick<QueueFull, "limit" | "scope">) {
      // The backlog of a paused tenant does not drain, and the time of its resumption is unknown.
      const paused = scope === "tenant" && (yield* queue.isPaused(tenant))
      const retryAfterSeconds = paused ? longestWaitSeconds : yield* retryEstimator.retryAfter(scope, tenant, limit)
      return yield* new LimitReached({ limit: `${scope}_queue`, allowed: limit, retryAfterSeconds })
    })
  }
})

/** What is checked before anything of a submission is read, in the order that `Admission.ts` names. */
export const makeAdmissionLimits = Effect.gen(function* () {
  const { queueSize } = yield* EngineConfig
  const queueStats = yield* QueueStats
  const registry = yield* TenantRegistry
  const retryEstimator = yield* RetryAfterEstimator
  const rates = yield* RateLimits
  const inFlight = yield* BytesInFlight
  const storage = yield* StorageHealth
  const { limitReached } = yield* makeBacklogLimits

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

  return { withinRate, withinLimits }
})
