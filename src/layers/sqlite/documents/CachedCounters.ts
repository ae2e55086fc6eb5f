import { Effect } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import type { QueueCounters } from "../../../services/store/QueueFigures.ts"
import type { Operation } from "../database/GroupCommit.ts"

/** The most tenants whose counters are cached. */
const mostCounted = 1024

/**
 * A cache of counters, which only writes of this process change. Every submission reads the counters of all tenants, and a read
 * outside a transaction costs the file's locks.
 */
export const makeCachedCounters = () => {
  const counted = new Map<TenantId | "*", QueueCounters>()
  return {
    known: (tenant: TenantId | "*") => counted.get(tenant),
    learn: (tenant: TenantId | "*", counters: QueueCounters): QueueCounters => {
      if (counted.size >= mostCounted) counted.clear()
      counted.set(tenant, counters)
      return counters
    },
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
