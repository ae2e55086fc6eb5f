export interface Entry<Stored> {
  readonly number: number
  readonly stored: Stored
  /** The page that got its result; none when the document's state changed. */
  readonly page: number | undefined
}

/** Changes in the order of their numbers. Changes that later ones replace are skipped, and dropped now and then. */
export class ChangeEntries<Stored> {
  readonly #stands: (entry: Entry<Stored>) => boolean
  #entries: Array<Entry<Stored>> = []
  #lastSize = 0
  last = 0

  constructor(stands: (entry: Entry<Stored>) => boolean) {
    this.#stands = stands
  }

  add(change: Omit<Entry<Stored>, "number">): number {
    if (this.#entries.length > 1_000 + 2 * this.#lastSize) {
      this.#entries = this.#entries.filter(this.#stands)
      this.#lastSize = this.#entries.length
    }
    this.#entries.push({ ...change, number: ++this.last })
    return this.last
  }

  /** At most `limit` entries after that number, and whether these are all. */
  after(number: number, limit: number): { readonly entries: ReadonlyArray<Entry<Stored>>; readonly complete: boolean } {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.number ?? 0) > number) high = middle
      else low = middle + 1
    }
    const entries: Array<Entry<Stored>> = []
    for (; low < this.#entries.length && entries.length < limit; low++) {
      const entry = this.#entries[low]
      if (entry !== undefined && this.#stands(entry)) entries.push(entry)
    }
    return { entries, complete: low >= this.#entries.length }
  }
}
