/**
 * Sends changes of documents to their watchers. While there are watchers, one fiber reads new changes from the store, once for
 * all of them, whenever an event says that there may be some. It also polls the store from time to time, since some changes have
 * no event.
 *
 * A watcher has no buffer, only a cursor: it has received every change up to there. It takes the next changes from a
 * ring that all watchers share. A watcher so slow that the ring has overwritten its next change reads from the store until it
 * has caught up; it then receives each changed document only once, in its present state. So the cost of a reader does not depend
 * on its speed, and no reader misses anything.
 */
import { Clock, Context, Duration, Effect, Latch, Option, Order, Stream } from "effect"
import type { Change, ChangeCursor, Changes } from "../../domain/Change.ts"
import type { DocumentId } from "../../domain/Ids.ts"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { Events } from "../../services/Events.ts"
import { ChangeRingBuffer } from "./ChangeRingBuffer.ts"
import { keysOf, type Watcher, Watchers, type WatchKey } from "./Watchers.ts"

/** The number of changes in the ring. */
export const ringCapacity = 2_048
/** The number of changes scanned in one read of the store, which blocks all its other users. */
export const portion = 500
/** The weight of the changes that a watcher takes at once. */
const takeLimit = 100
/** Changes are gathered for this long, so that a series of pages does not wake all watchers for each page. */
const gathering = "20 millis"

/** How often the store is asked for changes that this process has no event of, while there are watchers. */
export const ChangePolling = Context.Reference<Duration.Duration>("sluice/actors/changes/ChangePolling", {
  defaultValue: () => Duration.seconds(1)
})

type Listener = (keys: ReadonlySet<WatchKey>) => void

/** The changes that were published, and who takes them. */
class Publication {
  readonly watchers: Watchers
  readonly listeners = new Set<Listener>()
  readonly #ring: ChangeRingBuffer
  readonly #order: Order.Order<ChangeCursor>
  readonly #later: (a: ChangeCursor, b: ChangeCursor) => ChangeCursor
  /** All changes up to this one are published. */
  #position: ChangeCursor

  constructor({ beginning, order }: ChangeLog["Service"]) {
    this.watchers = new Watchers(order, beginning)
    this.#ring = new ChangeRingBuffer(ringCapacity, order, beginning)
    this.#order = order
    this.#later = Order.max(order)
    this.#position = beginning
  }

  get position(): ChangeCursor {
    return this.#position
  }

  get size(): number {
    return this.#ring.size
  }

  begin(position: ChangeCursor): void {
    this.#position = position
    this.#ring.reset(position)
  }

  publish({ changes, through }: Changes): void {
    /** For each key, a cursor just before its first change. */
    const before = new Map<WatchKey, ChangeCursor>()
    let last = this.#position
    for (const change of changes) {
      for (const key of keysOf(change)) if (!before.has(key)) before.set(key, last)
      last = change.cursor
    }
    this.#ring.add(changes)
    this.#position = through
    if (before.size === 0) return
    for (const [key, cursor] of before) this.watchers.wake(key, cursor)
    const keys = new Set(before.keys())
    for (const listener of this.listeners) listener(keys)
  }

  /** The next changes for the watcher, or an empty array. `None`: it has fallen behind and has to read the store. */
  take(watcher: Watcher): Option.Option<ReadonlyArray<Change>> {
    if (watcher.isIdle) return Option.some([])
    if (this.#order(watcher.cursor, this.#ring.floor) < 0) return Option.none()
    const { changes, complete } = this.#ring.after(watcher.cursor, takeLimit, watcher.matches)
    const last = complete ? undefined : changes.at(-1)
    watcher.cursor = this.#later(watcher.cursor, last?.cursor ?? this.#position)
    watcher.isIdle = changes.length === 0
    return Option.some(changes)
  }

  /** The watcher has received every change up to there. */
  knownTo({ cursor, isIdle }: Watcher): ChangeCursor {
    return isIdle ? this.#later(cursor, this.#position) : cursor
  }
}

/** Documents that ended since it was asked last, among those that are watched; and whether there may be changes. */
const listenForNews = Effect.fnUntraced(function* (watchers: Watchers) {
  const events = yield* Events
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
  const takeEnded = () => {
    const taken = ended
    ended = []
    return taken
  }
  return { news, takeEnded }
})

const readOn = (changeLog: ChangeLog["Service"], publication: Publication): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    for (let complete = false; !complete;) {
      const part = yield* changeLog.changes({ after: publication.position, limit: portion })
      publication.publish(part)
      complete = part.complete
    }
  })

/** Publishes changes until the last watcher has left. `begun` is called when there is a place to begin at. */
const publishChanges = Effect.fnUntraced(function* (publication: Publication, begun: () => void) {
  const changeLog = yield* ChangeLog
  const polling = yield* ChangePolling
  const { watchers } = publication
  const { news, takeEnded } = yield* listenForNews(watchers)
  publication.begin(yield* changeLog.last)
  begun()
  while (!watchers.isEmpty) {
    news.closeUnsafe()
    const gone = takeEnded()
    yield* Effect.catchTag(readOn(changeLog, publication), "StoreUnavailable", (error) =>
      Effect.logWarning("changes cannot be read just now", error)
    )
    for (const id of gone) watchers.doubt(`document ${id}`)
    yield* Effect.timeoutOption(news.await, polling)
    watchers.beat(yield* Clock.currentTimeMillis)
    yield* Effect.sleep(gathering)
  }
}, Effect.scoped)

export const makeChangeBroadcaster = Effect.gen(function* () {
  const publication = new Publication(yield* ChangeLog)
  const { listeners, watchers } = publication
  const hasWatchers = Latch.makeUnsafe(false)
  const ready = Latch.makeUnsafe(false)

  yield* hasWatchers.await.pipe(
    Effect.andThen(publishChanges(publication, () => ready.openUnsafe())),
    Effect.andThen(
      Effect.sync(() => {
        ready.closeUnsafe()
        hasWatchers.closeUnsafe()
      })
    ),
    Effect.catchTag("StoreUnavailable", () => Effect.sleep("1 second")),
    Effect.forever,
    Effect.forkScoped
  )

  const join = (key: WatchKey) =>
    Effect.sync(() => {
      const watcher = watchers.join(key)
      hasWatchers.openUnsafe()
      return watcher
    })

  return {
    /** Adds a watcher until the scope closes. It misses no change from then on. */
    watch: (key: WatchKey) =>
      Effect.tap(
        Effect.acquireRelease(join(key), (watcher) => Effect.sync(() => watchers.leave(watcher))),
        ready.await
      ),
    take: (watcher: Watcher) => publication.take(watcher),
    knownTo: (watcher: Watcher) => publication.knownTo(watcher),
    /** To be called before `take`: a change from then on rings the bell again. */
    listen: ({ bell }: Watcher) => {
      bell.closeUnsafe()
    },
    ring: (key: WatchKey) => watchers.ring(key),
    /** Calls the listener with the keys that have changes, until the scope closes. */
    onChange: (listener: Listener) =>
      Effect.acquireRelease(
        Effect.sync(() => listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      ),
    /** The number of changes in the ring, and of watchers. */
    held: () => ({ changes: publication.size, watchers: watchers.count })
  }
})

export type ChangeBroadcaster = Effect.Success<typeof makeChangeBroadcaster>
