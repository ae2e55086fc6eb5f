/** A range is sized to about this much work, so that no one waits long for a turn and messages cost next to nothing. */
const targetMillis = 64
const maxPages = 128
const firstGuessMillis = 8
/** Before any page was measured: the pages of a map or a scan may take a hundred times the guess. */
const firstPages = 4
const weightOfNewest = 0.3
/** Of the newest range in what is usual for the document, once there were many. */
const weightInUsual = 0.05
/** One range says little: its worker may have had to open the file first. */
const rangesBeforeUsual = 3

/** Sizes a document's page ranges by the page times measured so far. */
export class RangeSizer {
  #pageMillis = firstGuessMillis
  #longest = firstPages
  #usualPageMillis = 0
  #ranges = 0

  /** Pages for the next range: no more than leaves every lane something to do. */
  size(remaining: number, lanes: number): number {
    const byTime = Math.round(targetMillis / this.#pageMillis)
    return Math.max(1, Math.min(byTime, this.#longest, Math.ceil(remaining / lanes)))
  }

  estimate(pages: number): number {
    return pages * this.#pageMillis
  }

  /** What so many pages of this document have taken so far. It changes slowly, so what takes longer now is seen against it. */
  usual(pages: number): number | undefined {
    return this.#ranges < rangesBeforeUsual ? undefined : pages * this.#usualPageMillis
  }

  observe(pages: number, millis: number): void {
    if (pages === 0) return
    this.#longest = maxPages
    const pageMillis = Math.max(0.1, millis / pages)
    this.#pageMillis += weightOfNewest * (pageMillis - this.#pageMillis)
    this.#ranges++
    this.#usualPageMillis += Math.max(1 / this.#ranges, weightInUsual) * (pageMillis - this.#usualPageMillis)
  }
}
