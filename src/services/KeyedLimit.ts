/** Counts an amount in use per key and in total, with a limit for each. */
export class KeyedLimit<Key> {
  readonly #limits: { readonly perKey: number; readonly total: number }
  readonly #held = new Map<Key, number>()
  #all = 0

  constructor(limits: { readonly perKey: number; readonly total: number }) {
    this.#limits = limits
  }

  /** The limit that `amount` more for the key would exceed, if any. What is held alone has no limit. */
  against(key: Key, amount: number): "key" | "total" | undefined {
    const own = this.held(key)
    if (own > 0 && own + amount > this.#limits.perKey) return "key"
    return this.#all > 0 && this.#all + amount > this.#limits.total ? "total" : undefined
  }

  /** Takes the amount for the key, unless that would exceed a limit: then answers with that limit. */
  take(key: Key, amount: number): "key" | "total" | undefined {
    const limit = this.against(key, amount)
    if (limit === undefined) this.add(key, amount)
    return limit
  }

  /** Takes the amount without regard to the limits; a negative amount gives it back. */
  add(key: Key, amount: number): void {
    const own = this.held(key) + amount
    this.#all += amount
    if (own === 0) this.#held.delete(key)
    else this.#held.set(key, own)
  }

  /** The amount held by the key, or by all keys. */
  held(key?: Key): number {
    return key === undefined ? this.#all : (this.#held.get(key) ?? 0)
  }
}
