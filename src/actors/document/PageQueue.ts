/**
 * Which pages of a document are still to be read in this run, and how:
 *
 * - `pending`: in ranges, in order.
 * - `doubted`: a few at a time. Their range was cut short by the death of its worker, so one of them may be to blame.
 * - `suspect`: alone, when no others are left. Earlier runs, or the opening, came to doubt them.
 */
export class PageQueue {
  /** The next page last. */
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

  /** Takes the next range: of pending pages up to `size`, of doubted ones no more than a worker holds in hand at once. */
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

  takeSuspect(): number | undefined {
    return this.#suspect.pop()
  }

  /** The pages go back, to be read a few at a time. */
  doubt(pages: ReadonlyArray<number>): void {
    this.#doubted.push(...pages)
  }
}
