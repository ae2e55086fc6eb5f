import type { BlobHash } from "../../../domain/Ids.ts"

interface Entry {
  readonly size: number
  /** The bytes are known to match the hash: this process has written them, or has read them once. */
  readonly isChecked: boolean
}

/**
 * What lies in the cache, as a state machine without effects. Invariant: `bytes` is the sum of all sizes. A blob in use is
 * never given up, so the bytes may exceed the limit.
 */
export class CacheEntries {
  /** The least recently used first. */
  readonly #entries = new Map<BlobHash, Entry>()
  /** How many use a blob now, whether its file is there already or still to come. */
  readonly #users = new Map<BlobHash, number>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** A file was put in place. */
  add(hash: BlobHash, size: number, isChecked: boolean): void {
    this.forget(hash)
    this.#entries.set(hash, { size, isChecked })
    this.#bytes += size
  }

  /** The blob is in use until `give`, and the most recently used now. */
  take(hash: BlobHash): Entry | undefined {
    this.#users.set(hash, (this.#users.get(hash) ?? 0) + 1)
    const entry = this.#entries.get(hash)
    if (entry === undefined) return undefined
    this.#entries.delete(hash)
    this.#entries.set(hash, entry)
    return entry
  }

  /** Ends what one `take` began. */
  give(hash: BlobHash): void {
    const users = this.#users.get(hash) ?? 0
    if (users > 1) this.#users.set(hash, users - 1)
    else this.#users.delete(hash)
  }

  check(hash: BlobHash): void {
    const entry = this.#entries.get(hash)
    if (entry !== undefined) this.#entries.set(hash, { ...entry, isChecked: true })
  }

  /** The file is gone, or about to be. */
  forget(hash: BlobHash): void {
    const entry = this.#entries.get(hash)
    if (entry === undefined) return
    this.#entries.delete(hash)
    this.#bytes -= entry.size
  }

  /** Forgets the least recently used entries that are not in use, until at most `limit` bytes are left; answers with them. */
  evict(limit: number): ReadonlyArray<BlobHash> {
    const evicted: Array<BlobHash> = []
    if (this.#bytes <= limit) return evicted
    for (const hash of this.#entries.keys()) {
      if (this.#users.has(hash)) continue
      this.forget(hash)
      evicted.push(hash)
      if (this.#bytes <= limit) break
    }
    return evicted
  }
}
