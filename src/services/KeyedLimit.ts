/** Counts what each key holds, and what all hold together, against a limit of each. */
export class KeyedLimit<Key> {
  readonly #limits: { readonly perKey: number; readonly total: number }
  readonly #held = new Map<Key, number>()
  #all = 0

  constructor(limits: { readonly perKey: number; readonly total: number }) {
    this.#limits = limits
  }

  /** Which limit is against so much more for the key. What is held alone has no limit. */
  against(key: Key, amount: number): "key" | "total" | undefined {
    const own = this.held(key)
    if (own > 0 && own + amount > this.#limits.perKey) return "key"
    return this.#all > 0 && this.#all + amount > this.#limits.total ? "total" : undefined
  }

  /** Takes so much more for the key, unless a limit is against it: then that one. */
  take(key: Key, amount: number): "key" | "total" | undefined {
    const limit = this.against(key, amount)
    if (limit === undefined) this.add(key, amount)
    return limit
  }

  /** The same whatever the limits say; a negative amount gives it back. */
  add(key: Key, amount: number): void {
    const own = this.held(key) + amount
    this.#all += amount
    if (own === 0) this.#held.delete(key)
    else this.#held.set(key, own)
  }

  /** By one key, or by all. */
  held(key?: Key): number {
    return key === undefined ? this.#all : (this.#held.get(key) ?? 0)
  }
}
