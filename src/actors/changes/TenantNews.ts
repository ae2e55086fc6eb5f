import { Effect, Option, type Semaphore } from "effect"
import type { ChangeCursor, Changes } from "../../domain/Change.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { News, QueueStatus } from "../Ingestion.ts"
import { type ChangeBroadcaster, portion } from "./ChangeBroadcaster.ts"
import type { Watcher } from "./Watchers.ts"
import type { Source } from "./WatchStream.ts"

/** Yields to everything else that is due in the event loop: a store may answer without leaving it. */
const breather = Effect.callback<void>((resume) => {
  const timer = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(timer))
})

/** Reads a portion for a watcher that has fallen behind. */
type ReadBehind = (after: ChangeCursor, tenant: TenantId | undefined) => Effect.Effect<Changes, StoreUnavailable>

export const makeReadBehind =
  (changeLog: ChangeLog["Service"], turns: Semaphore.Semaphore): ReadBehind =>
  (after, tenant) =>
    changeLog.changes({ after, limit: portion, tenant }).pipe(Effect.tap(breather), turns.withPermit)

/** The changes of a tenant's documents, or of all, in their order, and the status of the queue when it has changed. */
export const tenantNews = (
  {
    broadcaster,
    changeLog,
    latestQueue,
    readBehind
  }: {
    readonly broadcaster: ChangeBroadcaster
    readonly changeLog: ChangeLog["Service"]
    readonly latestQueue: () => QueueStatus | undefined
    readonly readBehind: ReadBehind
  },
  tenant: TenantId | undefined,
  watcher: Watcher
): Source => {
  let toldQueue: QueueStatus | undefined

  const changes = Effect.gen(function* () {
    for (;;) {
      const taken = broadcaster.take(watcher)
      if (Option.isSome(taken)) return taken.value
      const part = yield* readBehind(watcher.cursor, tenant)
      watcher.cursor = part.through
      if (part.changes.length > 0) return part.changes
    }
  })
  const take = Effect.map(changes, (found) => {
    const news: Array<News> = found.map((change) => ({ _tag: "Changed", id: changeLog.idOf(change.cursor), change }))
    const queue = latestQueue()
    if (queue === undefined || queue === toldQueue) return news
    toldQueue = queue
    const id = news.at(-1)?.id ?? changeLog.idOf(broadcaster.knownTo(watcher))
    return [...news, { _tag: "Queue", id, status: queue } satisfies News]
  })
  return { take, hasEnded: () => false }
}
