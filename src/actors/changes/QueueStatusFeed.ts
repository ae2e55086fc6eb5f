import { Clock, Effect } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { ChangeBroadcaster } from "./ChangeBroadcaster.ts"
import type { WatchKey } from "./Watchers.ts"
import type { QueueStatus } from "../Ingestion.ts"

/** The shortest time between two queries of a queue that has changes. */
const queryInterval = "1 second"
/** A queue without changes is queried after this time: limits, pauses and estimates change without a change of a document. */
const longestMillis = 5_000

interface Entry {
  readonly tenant: TenantId | undefined
  watchers: number
  status: QueueStatus | undefined
  hasChanges: boolean
  queriedAt: number
}

/** The gauges of the watched queues. A queue is queried once for all its watchers. */
export const makeQueueStatusFeed = Effect.fnUntraced(function* (
  broadcaster: ChangeBroadcaster,
  queueStatus: (tenant?: TenantId) => Effect.Effect<QueueStatus, StoreUnavailable>
) {
  const entries = new Map<WatchKey, Entry>()

  /** Queries the status of the entry; true if it has changed. The object stays the same while no value in it changes. */
  const refresh = Effect.fnUntraced(function* (entry: Entry) {
    entry.hasChanges = false
    entry.queriedAt = yield* Clock.currentTimeMillis
    const found = yield* queueStatus(entry.tenant)
    const before = entry.status
    if (before === undefined || JSON.stringify(before) !== JSON.stringify(found)) entry.status = found
    return entry.status !== before
  })

  yield* broadcaster.onChange((keys) => {
    for (const [key, entry] of entries) if (keys.has(key)) entry.hasChanges = true
  })
  const refreshAll = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [key, entry] of entries) {
      if (!entry.hasChanges && now - entry.queriedAt < longestMillis) continue
      if (yield* refresh(entry)) broadcaster.ring(key)
    }
  })
  yield* refreshAll.pipe(
    Effect.catchTag("StoreUnavailable", (error) => Effect.logDebug("queues cannot be read just now", error.message)),
    Effect.andThen(Effect.sleep(queryInterval)),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    /** Watches the queue until the scope closes. Returns a function that gives the latest status. */
    watch: (key: WatchKey, tenant: TenantId | undefined) =>
      Effect.gen(function* () {
        const entry = yield* Effect.acquireRelease(
          Effect.sync(() => {
            const entry: Entry = entries.get(key) ?? {
              tenant,
              watchers: 0,
              status: undefined,
              hasChanges: true,
              queriedAt: 0
            }
            entry.watchers++
            entries.set(key, entry)
            return entry
          }),
          (entry) =>
            Effect.sync(() => {
              if (--entry.watchers === 0) entries.delete(key)
            })
        )
        if (entry.status === undefined) yield* refresh(entry)
        return () => entry.status
      })
  }
})
