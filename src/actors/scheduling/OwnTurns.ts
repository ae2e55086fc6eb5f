import type { Context } from "effect"
import type { PdfEngine } from "../../services/PdfEngine.ts"
import type { Pool } from "../../services/pools/Pools.ts"
import { FairQueue, takeFirst } from "./FairQueue.ts"
import type { Shares } from "./FairShares.ts"
import { turnMillis } from "./RangeSizer.ts"
import type { Ticket, Turn, TurnSource } from "./Turn.ts"

interface Waiting {
  readonly turn: Turn
  readonly give: (pool: Pool | undefined) => void
}

/** Turns of the workers of this process: who waits for one, and how many are given. */
export class OwnTurns implements TurnSource {
  readonly #shares: Shares
  readonly #engine: Pick<Context.Service.Shape<typeof PdfEngine>, "capacity" | "ready">
  readonly #newcomers: FairQueue<Waiting>
  readonly #others: FairQueue<Waiting>
  #given = 0
  #open = true

  constructor(shares: Shares, engine: Pick<Context.Service.Shape<typeof PdfEngine>, "capacity" | "ready">) {
    this.#shares = shares
    this.#engine = engine
    this.#newcomers = new FairQueue<Waiting>(shares)
    this.#others = new FairQueue<Waiting>(shares)
  }

  readonly turns = () => this.#engine.capacity
  readonly turnMillis = () => turnMillis

  readonly ask = (turn: Turn, give: (pool: Pool | undefined) => void): Ticket => {
    const withdraw = (turn.isNewcomer === true ? this.#newcomers : this.#others).add(turn, { turn, give })
    this.#give()
    return { withdraw, end: (usedMillis) => this.#end(turn, usedMillis) }
  }

  readonly close = () => {
    this.#open = false
    this.#give()
  }

  /** Not at once: the workers are in the middle of a step. */
  readonly readyChanged = () => queueMicrotask(this.#give)

  /** After the close every request gets its turn at once, and then learns that the turn is void. */
  readonly #give = () => {
    while (!this.#open || this.#given < Math.min(this.#engine.capacity, this.#engine.ready())) {
      const next = takeFirst(this.#shares, this.#newcomers, this.#others)
      if (next === undefined) return
      this.#given++
      this.#shares.charge(next.turn.tenant, next.turn.estimatedMillis)
      next.give(undefined)
    }
  }

  #end({ estimatedMillis, tenant }: Turn, usedMillis: number): void {
    this.#given--
    this.#shares.settle(tenant, estimatedMillis, usedMillis)
    // Not at once: the holder that gives this turn back may be about to request its next one, and has to compete too.
    queueMicrotask(this.#give)
  }
}
