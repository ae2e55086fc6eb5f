import { Effect } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import type { QueueCounters } from "../../../services/store/QueueFigures.ts"
import type { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import type { Operation } from "../database/GroupCommit.ts"

/** The most tenants whose counters are cached. */
const mostCounted = 1024
/** How long writes of other processes may be missing in the counters. */
const mostStaleMillis = 100

/** Caches counters, and answers with them. */
export type Learn = (counters: QueueCounters) => QueueCounters

interface Counted {
  readonly counters: QueueCounters
  readonly readAt: number
}

/**
 * A cache of counters: every submission reads the counters of all tenants, and a read outside a transaction costs the file's
 * locks. Writes of this process empty it at once. Writes of another process are missing for `mostStaleMillis` at most: asking
 * SQLite whether there were any would cost as much as the read. Nothing is decided by these counters alone, since a commit
 * counts again.
 */
export const makeCachedCounters = () => {
  const counted = new Map<TenantId | "*", Counted>()
  const learn = (tenant: TenantId | "*", counters: QueueCounters, readAt: number): QueueCounters => {
    if (counted.size >= mostCounted) counted.clear()
    counted.set(tenant, { counters, readAt })
    return counters
  }
  return {
    /** The cached counters, or those that `read` answers with. `read` hands them over in the turn in which it read them. */
    get: (
      tenant: TenantId | "*",
      read: (tenant: TenantId | "*", learn: Learn) => Effect.Effect<QueueCounters, StoreUnavailable>
    ) =>
      Effect.clockWith((clock) => {
        const now = clock.currentTimeMillisUnsafe()
        const known = counted.get(tenant)
        const age = known === undefined ? Number.POSITIVE_INFINITY : now - known.readAt
        return known !== undefined && age >= 0 && age < mostStaleMillis
          ? Effect.succeed(known.counters)
          : read(tenant, (counters) => learn(tenant, counters, now))
      }),
    forget: Effect.sync(() => counted.clear()),
    /** Empties the cache also if the write is undone: the counters are then read again. */
    forgottenBy:
      <A, E>(operation: Operation<A, E>): Operation<A, E> =>
      (db) => {
        counted.clear()
        return operation(db)
      }
  }
}

export type CachedCounters = ReturnType<typeof makeCachedCounters>
