/** A range is sized to about this much work, so that no tenant waits long for a turn and messages cost next to nothing. */
export const turnMillis = 64
const maxPages = 128
const firstGuessMillis = 8
/** Pages of the first range, before any was measured: pages of a map or a scan may take a hundred times the guess. */
const firstPages = 4
const weightOfNewest = 0.3

/** The number of pages that one worker reads at once; more would gain nothing. */
export const maxConcurrencyPerWorker = 4

/** Sizes a document's page ranges by the page times measured so far. */
export class RangeSizer {
  #pageMillis = firstGuessMillis
  #longest = firstPages
  readonly #turnMillis: () => number

  constructor(target: () => number = () => turnMillis) {
    this.#turnMillis = target
  }

  /** The number of pages for the next range, small enough to leave work for every lane. */
  size(remaining: number, lanes: number): number {
    const byTime = Math.round(this.#turnMillis() / this.#pageMillis)
    return Math.max(1, Math.min(byTime, this.#longest, Math.ceil(remaining / lanes)))
  }

  estimate(pages: number): number {
    return pages * this.#pageMillis
  }

  observe(pages: number, millis: number): void {
    if (pages === 0) return
    this.#longest = maxPages
    const pageMillis = Math.max(0.1, millis / pages)
    this.#pageMillis += weightOfNewest * (pageMillis - this.#pageMillis)
  }
}
