import type { Order } from "effect"
import type { Change, ChangeCursor } from "../../domain/Change.ts"
import { documentSize } from "../../domain/document/Portions.ts"

/** The weight of a change also grows with the file's metadata, which may be much larger than all the rest. */
const charactersPerChange = 1024

const weightOf = (change: Change): number =>
  change._tag === "Page" ? 1 : 1 + Math.floor(documentSize(change.document) / charactersPerChange)

/** The latest changes, in their order. All readers share them, so memory does not grow with readers. */
export class ChangeRingBuffer {
  readonly #capacity: number
  readonly #order: Order.Order<ChangeCursor>
  #changes: ReadonlyArray<Change> = []
  #weight = 0
  /** Changes up to this one are not in the ring. */
  #floor: ChangeCursor

  constructor(capacity: number, order: Order.Order<ChangeCursor>, floor: ChangeCursor) {
    this.#capacity = capacity
    this.#order = order
    this.#floor = floor
  }

  get floor(): ChangeCursor {
    return this.#floor
  }

  get size(): number {
    return this.#changes.length
  }

  reset(floor: ChangeCursor): void {
    this.#changes = []
    this.#weight = 0
    this.#floor = floor
  }

  add(changes: ReadonlyArray<Change>): void {
    if (changes.length === 0) return
    for (const change of changes) this.#weight += weightOf(change)
    const all = [...this.#changes, ...changes]
    let dropped = 0
    for (; this.#weight > this.#capacity; dropped++) {
      const oldest = all[dropped]
      if (oldest === undefined) break
      this.#weight -= weightOf(oldest)
      this.#floor = oldest.cursor
    }
    this.#changes = dropped === 0 ? all : all.slice(dropped)
  }

  /** The matching changes after the cursor: up to `limit` in weight, but at least one. */
  after(
    cursor: ChangeCursor,
    limit: number,
    matches: (change: Change) => boolean
  ): { readonly changes: ReadonlyArray<Change>; readonly complete: boolean } {
    const changes: Array<Change> = []
    let weight = 0
    for (let index = this.#firstAfter(cursor); index < this.#changes.length; index++) {
      const change = this.#changes[index]
      if (change === undefined || !matches(change)) continue
      weight += weightOf(change)
      if (changes.length > 0 && weight > limit) return { changes, complete: false }
      changes.push(change)
    }
    return { changes, complete: true }
  }

  #firstAfter(cursor: ChangeCursor): number {
    let [low, high] = [0, this.#changes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const change = this.#changes[middle]
      if (change !== undefined && this.#order(change.cursor, cursor) > 0) high = middle
      else low = middle + 1
    }
    return low
  }
}
