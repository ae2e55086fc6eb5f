import { Latch, Order } from "effect"
import type { Change, ChangeCursor } from "../../domain/Change.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"

export type WatchKey = `tenant ${TenantId}` | `document ${DocumentId}` | "all"

export interface Watcher {
  readonly key: WatchKey
  readonly matches: (change: Change) => boolean
  /** The watcher has taken every change up to this one. */
  cursor: ChangeCursor
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

export const keysOf = (change: Change): ReadonlyArray<WatchKey> => [
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

/** The shortest time between two rounds of heartbeats. */
const beatMillis = 1_000

/** The watchers of each key, and their bells. */
export class Watchers {
  readonly #beginning: ChangeCursor
  readonly #later: (a: ChangeCursor, b: ChangeCursor) => ChangeCursor
  readonly #byKey = new Map<WatchKey, Set<Watcher>>()
  #beatenAt = 0

  constructor(order: Order.Order<ChangeCursor>, beginning: ChangeCursor) {
    this.#beginning = beginning
    this.#later = Order.max(order)
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  get count(): number {
    return Array.from(this.#byKey.values()).reduce((sum, { size }) => sum + size, 0)
  }

  has(key: WatchKey): boolean {
    return this.#byKey.has(key)
  }

  join(key: WatchKey): Watcher {
    const watcher: Watcher = {
      key,
      matches: matcherOf(key),
      cursor: this.#beginning,
      isIdle: false,
      isInDoubt: false,
      heartbeatAt: Infinity,
      bell: Latch.makeUnsafe(false)
    }
    const others = this.#byKey.get(key) ?? new Set()
    this.#byKey.set(key, others.add(watcher))
    return watcher
  }

  leave(watcher: Watcher): void {
    const others = this.#byKey.get(watcher.key)
    others?.delete(watcher)
    if (others?.size === 0) this.#byKey.delete(watcher.key)
  }

  ring(key: WatchKey): void {
    this.#byKey.get(key)?.forEach(({ bell }) => bell.openUnsafe())
  }

  /** There are changes for the watchers of the key, all of them after that cursor. */
  wake(key: WatchKey, after: ChangeCursor): void {
    for (const watcher of this.#byKey.get(key) ?? []) {
      if (watcher.isIdle) {
        watcher.isIdle = false
        watcher.cursor = this.#later(watcher.cursor, after)
      }
      watcher.bell.openUnsafe()
    }
  }

  /** What the key names may be gone. */
  doubt(key: WatchKey): void {
    for (const watcher of this.#byKey.get(key) ?? []) {
      watcher.isInDoubt = true
      watcher.bell.openUnsafe()
    }
  }

  /** One timer serves all heartbeats: a timer for each watcher would cost more than the heartbeats themselves. */
  beat(now: number): void {
    if (now - this.#beatenAt < beatMillis) return
    this.#beatenAt = now
    for (const same of this.#byKey.values()) {
      for (const { bell, heartbeatAt } of same) if (heartbeatAt <= now) bell.openUnsafe()
    }
  }
}
