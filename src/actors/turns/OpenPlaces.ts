import { Context, Layer } from "effect"
import type { PoolName } from "../../services/pools/Pools.ts"

/**
 * The worker time that a pool has to save, as a multiple of what it costs that it fetches and opens the document. If all workers
 * are busy, at most a third more than necessary is done; if they were idle, no document is slower for it.
 */
const leastGain = 3
/** Milliseconds to fetch and open a document, until measured. */
const firstOpenMillis = 150
const weightOfNewest = 0.2
/** After the loss of a pool no further pools are tried for so long. */
const cautiousMillis = 5_000
/** The documents of which it is known where they are open. Of others it is learnt again. */
const mostDocuments = 4_096

/** In which pools the documents of this runner are open, and whether a further pool pays for one. */
export class Places {
  readonly #places = new Map<string, Set<PoolName>>()
  readonly #lost = new Map<PoolName, number>()
  #openMillis = firstOpenMillis

  of(key: string): ReadonlyArray<PoolName> {
    return [...(this.#places.get(key) ?? [])]
  }

  has(key: string, pool: PoolName): boolean {
    return this.#places.get(key)?.has(pool) === true
  }

  opened(key: string, pool: PoolName): void {
    const known = this.#places.get(key)
    if (known?.has(pool) === true) return
    this.#places.set(key, (known ?? new Set()).add(pool))
    for (const oldest of this.#places.keys()) {
      if (this.#places.size <= mostDocuments) return
      this.#places.delete(oldest)
    }
  }

  /** A pool that had to fetch and open a document first took so long until its first page. */
  measured(millis: number): void {
    this.#openMillis += weightOfNewest * (millis - this.#openMillis)
  }

  closed(key: string): ReadonlyArray<PoolName> {
    const pools = this.of(key)
    this.#places.delete(key)
    return pools
  }

  lost(pool: PoolName, now: number): void {
    this.#lost.set(pool, now)
    for (const [key, pools] of this.#places) if (pools.delete(pool) && pools.size === 0) this.#places.delete(key)
  }

  /**
   * Another pool may take a part of what is left of the document. Each of the machines then saves its part, and has to save many
   * times what the fetching and opening cost. A document that is open nowhere costs the same wherever it is opened.
   */
  mayGoOn(key: string, millisLeft: number, now: number): boolean {
    for (const [pool, at] of this.#lost) if (now - at > cautiousMillis) this.#lost.delete(pool)
    if (this.#lost.size > 0) return false
    const places = this.#places.get(key)?.size ?? 0
    return places === 0 || millisLeft / (places + 1) > leastGain * this.#openMillis
  }
}

/** Shared by what asks for turns and what reads in them. */
export class OpenPlaces extends Context.Service<OpenPlaces, Places>()("sluice/actors/turns/OpenPlaces") {
  static readonly layer = Layer.sync(OpenPlaces, () => new Places())
}
