/**
 * Sends changes of documents to their watchers. While there are watchers, one fiber reads new changes from the store, once for
 * all of them, whenever an event says that there may be some. It also polls the store from time to time, since some changes have
 * no event.
 *
 * A watcher has no buffer, only a cursor: the number up to which it has received every change. It takes the next changes from a
 * ring that all watchers share. A watcher so slow that the ring has overwritten its next change reads from the store until it
 * has caught up; it then receives each changed document only once, in its present state. So the cost of a reader does not depend
 * on its speed, and no reader misses anything.
 */
import { Clock, Effect, Latch, Option, Stream } from "effect"
import type { Change, Changes } from "../../domain/Change.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { Events } from "../../services/Events.ts"
import { ChangeRingBuffer } from "./ChangeRingBuffer.ts"

/** The number of changes in the ring. */
export const ringCapacity = 2_048
/** The number of changes scanned in one read of the store, which blocks all its other users. */
export const portion = 500
/** The weight of the changes that a watcher takes at once. */
const takeLimit = 100
/** Changes are gathered for this long, so that a series of pages does not wake all watchers for each page. */
const gathering = "20 millis"
const pollMillis = 1_000

export type WatchKey = `tenant ${TenantId}` | `document ${DocumentId}` | "all"

export interface Watcher {
  readonly key: WatchKey
  readonly matches: (change: Change) => boolean
  /** The watcher has taken every change up to this number. */
  cursor: number
  /** No change after the cursor is for this watcher, as far as the store has been read. */
  isIdle: boolean
  /** Its document may have been removed, which leaves no change behind. */
  isInDoubt: boolean
  /** When its bell rings even without a change, for a heartbeat. */
  heartbeatAt: number
  /** Open when there may be changes to take. */
  readonly bell: Latch.Latch
}

const tenantOf = (change: Change) => (change._tag === "Page" ? change.tenantId : change.document.tenantId)
const documentOf = (change: Change) => (change._tag === "Page" ? change.documentId : change.document.id)

const keysOf = (change: Change): ReadonlyArray<WatchKey> => [
  `tenant ${tenantOf(change)}`,
  `document ${documentOf(change)}`,
  "all"
]

const matcherOf = (key: WatchKey): ((change: Change) => boolean) => {
  const [kind, subject] = key.split(" ", 2)
  if (kind === "tenant") return (change) => tenantOf(change) === subject
  if (kind === "document") return (change) => documentOf(change) === subject
  return () => true
}

export const makeChangeBroadcaster = Effect.gen(function* () {
  const changeLog = yield* ChangeLog
  const events = yield* Events
  const latest = new ChangeRingBuffer(ringCapacity)
  const watchers = new Map<WatchKey, Set<Watcher>>()
  const listeners = new Set<(keys: ReadonlySet<WatchKey>) => void>()
  const hasWatchers = Latch.makeUnsafe(false)
  const ready = Latch.makeUnsafe(false)
  /** All changes up to this number are published. */
  let position = 0

  const ring = (key: WatchKey) => watchers.get(key)?.forEach(({ bell }) => bell.openUnsafe())

  const wake = (key: WatchKey, number: number) => {
    for (const watcher of watchers.get(key) ?? []) {
      if (watcher.isIdle) {
        watcher.isIdle = false
        watcher.cursor = Math.max(watcher.cursor, number - 1)
      }
      watcher.bell.openUnsafe()
    }
  }

  /** One timer serves all heartbeats: a timer for each watcher would cost more than the heartbeats themselves. */
  let beatenAt = 0
  const beat = (now: number) => {
    if (now - beatenAt < pollMillis) return
    beatenAt = now
    for (const same of watchers.values()) {
      for (const { bell, heartbeatAt } of same) if (heartbeatAt <= now) bell.openUnsafe()
    }
  }

  const publish = ({ changes, through }: Changes) => {
    latest.add(changes)
    position = through
    const firsts = new Map<WatchKey, number>()
    for (const change of changes) {
      for (const key of keysOf(change)) if (!firsts.has(key)) firsts.set(key, change.number)
    }
    if (firsts.size === 0) return
    for (const [key, number] of firsts) wake(key, number)
    const keys = new Set(firsts.keys())
    for (const listener of listeners) listener(keys)
  }

  const readOn: Effect.Effect<void, StoreUnavailable> = Effect.gen(function* () {
    for (let complete = false; !complete;) {
      const part = yield* changeLog.changes({ after: position, limit: portion })
      publish(part)
      complete = part.complete
    }
  })

  /** Waits for a first watcher, then publishes changes until the last one has left. */
  const run = Effect.gen(function* () {
    yield* hasWatchers.await
    const news = Latch.makeUnsafe(true)
    let ended: Array<DocumentId> = []
    const live = yield* events.subscribe
    yield* live.pipe(
      Stream.runForEachArray((batch) =>
        Effect.sync(() => {
          for (const event of batch) {
            const isWatched = event._tag === "DocumentEnded" && watchers.has(`document ${event.documentId}`)
            if (isWatched) ended.push(event.documentId)
          }
          news.openUnsafe()
        })
      ),
      Effect.forkScoped
    )
    position = yield* changeLog.last
    latest.reset(position)
    ready.openUnsafe()
    while (watchers.size > 0) {
      news.closeUnsafe()
      const gone = ended
      ended = []
      yield* Effect.catchTag(readOn, "StoreUnavailable", (error) =>
        Effect.logWarning("changes cannot be read just now", error)
      )
      for (const id of gone) {
        for (const watcher of watchers.get(`document ${id}`) ?? []) {
          watcher.isInDoubt = true
          watcher.bell.openUnsafe()
        }
      }
      yield* Effect.timeoutOption(news.await, pollMillis)
      beat(yield* Clock.currentTimeMillis)
      yield* Effect.sleep(gathering)
    }
    ready.closeUnsafe()
    hasWatchers.closeUnsafe()
  }).pipe(Effect.scoped)

  yield* run.pipe(
    Effect.catchTag("StoreUnavailable", () => Effect.sleep(pollMillis)),
    Effect.forever,
    Effect.forkScoped
  )

  const join = (key: WatchKey) =>
    Effect.sync(() => {
      const bell = Latch.makeUnsafe(false)
      const watcher: Watcher = {
        key,
        matches: matcherOf(key),
        cursor: 0,
        isIdle: false,
        isInDoubt: false,
        heartbeatAt: Infinity,
        bell
      }
      const others = watchers.get(key) ?? new Set()
      watchers.set(key, others.add(watcher))
      hasWatchers.openUnsafe()
      return watcher
    })
  const leave = (watcher: Watcher) =>
    Effect.sync(() => {
      const others = watchers.get(watcher.key)
      others?.delete(watcher)
      if (others?.size === 0) watchers.delete(watcher.key)
    })

  return {
    /** Adds a watcher until the scope closes. It misses no change from then on. */
    watch: (key: WatchKey) => Effect.tap(Effect.acquireRelease(join(key), leave), ready.await),

    /** The next changes for the watcher, or an empty array. `None`: it has fallen behind and has to read the store. */
    take: (watcher: Watcher): Option.Option<ReadonlyArray<Change>> => {
      if (watcher.isIdle) return Option.some([])
      if (watcher.cursor < latest.floor) return Option.none()
      const { changes, complete } = latest.after(watcher.cursor, takeLimit, watcher.matches)
      const last = complete ? undefined : changes.at(-1)
      watcher.cursor = Math.max(watcher.cursor, last?.number ?? position)
      watcher.isIdle = changes.length === 0
      return Option.some(changes)
    },

    /** The number up to which the watcher has received every change. */
    knownTo: (watcher: Watcher) => (watcher.isIdle ? Math.max(watcher.cursor, position) : watcher.cursor),

    /** To be called before `take`: a change from then on rings the bell again. */
    listen: ({ bell }: Watcher) => {
      bell.closeUnsafe()
    },
    ring,
    /** Calls the listener with the keys that have changes, until the scope closes. */
    onChange: (listener: (keys: ReadonlySet<WatchKey>) => void) =>
      Effect.acquireRelease(
        Effect.sync(() => listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      ),
    /** The number of changes in the ring, and of watchers. */
    held: () => ({
      changes: latest.size,
      watchers: Array.from(watchers.values()).reduce((sum, { size }) => sum + size, 0)
    })
  }
})

export type ChangeBroadcaster = Effect.Success<typeof makeChangeBroadcaster>
