import { Clock, Effect } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "../../services/store/DocumentStore.ts"
import type { ChangeBroadcaster, WatchKey } from "./ChangeBroadcaster.ts"
import type { QueueStatus } from "../Ingestion.ts"

/** Looked at no more often, and only after changes. */
const lookEvery = "1 second"
/** Looked at in any case: limits, pauses and estimates change without any change of a document. */
const longestMillis = 5_000

interface Entry {
  readonly tenant: TenantId | undefined
  watchers: number
  status: QueueStatus | undefined
  hasChanges: boolean
  lookedAt: number
}

/** The gauges of the queues that somebody watches: looked at once for all who watch the same. */
export const makeQueueStatusFeed = Effect.fnUntraced(function* (
  hub: ChangeBroadcaster,
  queueStatus: (tenant?: TenantId) => Effect.Effect<QueueStatus, StoreUnavailable>
) {
  const entries = new Map<WatchKey, Entry>()

  /** The same object as before as long as nothing of it has changed. */
  const look = Effect.fnUntraced(function* (entry: Entry) {
    entry.hasChanges = false
    entry.lookedAt = yield* Clock.currentTimeMillis
    const found = yield* queueStatus(entry.tenant)
    const before = entry.status
    if (before === undefined || JSON.stringify(before) !== JSON.stringify(found)) entry.status = found
    return entry.status !== before
  })

  yield* hub.onChange((keys) => {
    for (const [key, entry] of entries) if (keys.has(key)) entry.hasChanges = true
  })
  const lookAtAll = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [key, entry] of entries) {
      if (!entry.hasChanges && now - entry.lookedAt < longestMillis) continue
      if (yield* look(entry)) hub.ring(key)
    }
  })
  yield* lookAtAll.pipe(
    Effect.catchTag("StoreUnavailable", (error) => Effect.logDebug("queues cannot be read just now", error.message)),
    Effect.andThen(Effect.sleep(lookEvery)),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    /** Until the scope closes; answers with what gives the latest status. */
    watch: (key: WatchKey, tenant: TenantId | undefined) =>
      Effect.gen(function* () {
        const entry = yield* Effect.acquireRelease(
          Effect.sync(() => {
            const entry: Entry = entries.get(key) ?? {
              tenant,
              watchers: 0,
              status: undefined,
              hasChanges: true,
              lookedAt: 0
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
        if (entry.status === undefined) yield* look(entry)
        return () => entry.status
      })
  }
})
