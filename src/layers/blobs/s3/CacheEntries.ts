import type { BlobHash } from "../../../domain/Ids.ts"

interface Entry {
  readonly size: number
  /** How many rely on the file now. */
  readonly users: number
  /** The bytes are known to match the hash: this process has written them, or has read them once. */
  readonly isChecked: boolean
}

/**
 * What lies in the cache, as a state machine without effects. Invariant: `bytes` is the sum of all sizes. Entries in use are
 * never given up, so their bytes may exceed the limit.
 */
export class CacheEntries {
  /** The least recently used first. */
  readonly #entries = new Map<BlobHash, Entry>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  has(hash: BlobHash): boolean {
    return this.#entries.has(hash)
  }

  /** A file was put in place. Those who use the one before go on with theirs. */
  add(hash: BlobHash, size: number, isChecked: boolean): void {
    const users = this.#entries.get(hash)?.users ?? 0
    this.forget(hash)
    this.#entries.set(hash, { size, users, isChecked })
    this.#bytes += size
  }

  /** The entry is in use until `give`, and the most recently used now. */
  take(hash: BlobHash): Entry | undefined {
    const entry = this.#entries.get(hash)
    if (entry === undefined) return undefined
    this.#entries.delete(hash)
    this.#entries.set(hash, { ...entry, users: entry.users + 1 })
    return entry
  }

  give(hash: BlobHash): void {
    const entry = this.#entries.get(hash)
    if (entry !== undefined) this.#entries.set(hash, { ...entry, users: Math.max(0, entry.users - 1) })
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
    for (const [hash, { users }] of this.#entries) {
      if (users > 0) continue
      this.forget(hash)
      evicted.push(hash)
      if (this.#bytes <= limit) break
    }
    return evicted
  }
}
