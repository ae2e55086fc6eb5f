import type { KeyHolder } from "../../services/apiKeys/ApiKeys.ts"
import type { ApiKeyId } from "../../domain/tenant/ApiKey.ts"

/** The most keys in the cache. Beyond it the key that entered first leaves, and is read again at its next use. */
const mostHeld = 10_000

export interface HeldKey extends Pick<KeyHolder, "id" | "tenantId"> {
  readonly digest: Uint8Array
}

/**
 * Keys that were read from the database not long ago. Only keys that exist are held: so a new key works at once, and a flood of
 * unknown keys neither fills the cache nor drives keys in use out of it.
 */
export class KeyCache {
  readonly #held = new Map<ApiKeyId, { readonly key: HeldKey; readonly readAt: number }>()
  readonly #lifeMillis: number

  constructor(lifeMillis: number) {
    this.#lifeMillis = lifeMillis
  }

  /** None also when the key was read too long ago, or when the clock was set back since. */
  find(id: ApiKeyId, now: number): HeldKey | undefined {
    const held = this.#held.get(id)
    if (held === undefined) return undefined
    const age = now - held.readAt
    if (age >= 0 && age < this.#lifeMillis) return held.key
    this.#held.delete(id)
    return undefined
  }

  hold(key: HeldKey, now: number): HeldKey {
    const oldest = this.#held.size >= mostHeld ? this.#held.keys().next().value : undefined
    if (oldest !== undefined) this.#held.delete(oldest)
    this.#held.set(key.id, { key, readAt: now })
    return key
  }

  forget(id: ApiKeyId): void {
    this.#held.delete(id)
  }
}
