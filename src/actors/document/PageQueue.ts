/**
 * Which pages of a document are still to be read in this run, and how:
 *
 * - `pending`: in ranges, in order.
 * - `doubted`: a few at a time. Their worker died during their range, so one of them may be the cause.
 * - `suspect`: alone, when no others are left. Earlier runs, or the opening, found a fault with them.
 */
export class PageQueue {
  /** The next page is the last element. */
  readonly #pending: Array<number>
  readonly #doubted: Array<number> = []
  readonly #suspect: Array<number>

  constructor(pages: { readonly pending: ReadonlyArray<number>; readonly suspect: ReadonlyArray<number> }) {
    this.#pending = pages.pending.toReversed()
    this.#suspect = [...pages.suspect]
  }

  get pending(): number {
    return this.#pending.length
  }

  /** Takes the next range: up to `size` pending pages, or as many doubted pages as a worker reads at once (`inHand`). */
  takeRange(size: number, inHand: number): ReadonlyArray<number> {
    if (this.#doubted.length > 0) return this.#doubted.splice(0, inHand)
    const range: Array<number> = []
    while (range.length < size) {
      const page = this.#pending.pop()
      if (page === undefined) break
      range.push(page)
    }
    return range
  }

  /** Puts the pages back: they were not read, for no fault of theirs. They are the next. */
  putBack(pages: ReadonlyArray<number>): void {
    this.#pending.push(...pages.toReversed())
  }

  takeSuspect(): number | undefined {
    return this.#suspect.pop()
  }

  /** Puts the pages back, to be read a few at a time. */
  doubt(pages: ReadonlyArray<number>): void {
    this.#doubted.push(...pages)
  }
}
