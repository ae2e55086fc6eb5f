/** How much waits for the places of the online class, and whether one more would wait too long. No effects, no time of its own. */
export class OnlineLoad {
  readonly #places: number
  readonly #longestWaitMillis: number
  #waiting = 0
  /** Of recent searches; the last ones count most. */
  #meanMillis = 0

  constructor(places: number, longestWaitMillis: number) {
    this.#places = places
    this.#longestWaitMillis = longestWaitMillis
  }

  /** Begins to wait, unless those that wait already would take longer than the longest wait. */
  enter(): boolean {
    if ((this.#waiting * this.#meanMillis) / this.#places > this.#longestWaitMillis) return false
    this.#waiting++
    return true
  }

  /** Has its place, or has given up. */
  leave(): void {
    this.#waiting--
  }

  /** A search took so long in its place. */
  took(millis: number): void {
    this.#meanMillis = this.#meanMillis === 0 ? millis : this.#meanMillis * 0.9 + millis * 0.1
  }

  /** Whole seconds after which there should be places again, at least 1. */
  get secondsUntilFree(): number {
    return Math.max(1, Math.ceil((this.#waiting * this.#meanMillis) / this.#places / 1_000))
  }
}
