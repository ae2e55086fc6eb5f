import type { PoolName } from "../../services/pools/Pools.ts"
import type { Shares } from "../scheduling/FairShares.ts"
import { type Answer, type News, TurnNumber, type TurnRequest } from "./TurnsProtocol.ts"

/** What is to be done with a request. */
export interface Asker {
  readonly request: TurnRequest
  readonly give: (pool: PoolName) => void
  /** The pool of the turn is gone. */
  readonly lose: (pool: PoolName) => void
}

interface Held extends Asker {
  readonly pool: PoolName
}

type Ended = News["ended"][number]

/**
 * What one runner asks for and holds of the turns of all runners, and what it has still to say of that. Without effects.
 *
 * News that were not answered may have been heard or not. So the next news are complete, and repeat the ends.
 */
export class RunnerTurns {
  readonly #runner: PoolName
  readonly #shares: Shares
  readonly #waiting = new Map<TurnNumber, Asker>()
  readonly #held = new Map<TurnNumber, Held>()
  #asked: Array<TurnNumber> = []
  #ended: Array<Ended> = []
  /** Ends in news that are not answered yet. */
  readonly #unanswered = new Map<number, ReadonlyArray<Ended>>()
  #turn = 0
  #number = 0
  #answered = 0
  #isComplete = true
  #turns: number

  constructor(runner: PoolName, shares: Shares, ownTurns: number) {
    this.#runner = runner
    this.#shares = shares
    this.#turns = ownTurns
  }

  /** Workers of all runners. */
  get turns(): number {
    return this.#turns
  }

  get hasNews(): boolean {
    return this.#isComplete || this.#asked.length > 0 || this.#ended.length > 0
  }

  nextNumber(): TurnNumber {
    return TurnNumber.make(++this.#turn)
  }

  ask(asker: Asker): void {
    const { tenant, turn } = asker.request
    this.#waiting.set(turn, asker)
    this.#asked.push(turn)
    this.#shares.waits(tenant)
  }

  /** The request is withdrawn, or the turn has ended. */
  end(turn: TurnNumber, usedMillis: number): void {
    const asker = this.#waiting.get(turn)
    const held = this.#held.get(turn)
    if (asker !== undefined) {
      this.#waiting.delete(turn)
      this.#shares.waitsNoMore(asker.request.tenant)
    } else if (held !== undefined) {
      this.#held.delete(turn)
      this.#shares.settle(held.request.tenant, held.request.estimatedMillis, usedMillis)
    } else return
    this.#ended.push({ turn, usedMillis })
  }

  /** The next news. They have to be followed by `answered` or `failed`. */
  news(ready: number): News {
    const isComplete = this.#isComplete
    const asked = isComplete
      ? Array.from(this.#waiting.values(), ({ request }) => request)
      : this.#asked.flatMap((turn) => this.#waiting.get(turn)?.request ?? [])
    if (isComplete) {
      for (const ended of this.#unanswered.values()) this.#ended.push(...ended)
      this.#unanswered.clear()
    }
    const news: News = {
      runner: this.#runner,
      number: ++this.#number,
      isComplete,
      ready,
      openWeight: this.#shares.openWeight,
      asked,
      held: isComplete ? Array.from(this.#held.values(), ({ pool, request }) => ({ pool, request })) : [],
      ended: this.#ended
    }
    this.#unanswered.set(news.number, this.#ended)
    this.#asked = []
    this.#ended = []
    this.#isComplete = false
    return news
  }

  /** It is not known whether the news were heard. */
  failed(): void {
    this.#isComplete = true
  }

  answered(number: number, answer: Answer): void {
    if (!answer.isKnown) return this.failed()
    this.#unanswered.delete(number)
    for (const { pool, turn } of answer.given) this.#give(turn, pool)
    for (const turn of answer.lost) {
      const held = this.#held.get(turn)
      held?.lose(held.pool)
    }
    if (number < this.#answered) return
    this.#answered = number
    this.#turns = answer.turns
    this.#shares.adopt(answer.standing)
  }

  /** Gives every waiting request its turn, which is void. */
  giveUp(): void {
    for (const { request } of this.#waiting.values()) this.#give(request.turn, this.#runner)
  }

  #give(turn: TurnNumber, pool: PoolName): void {
    const asker = this.#waiting.get(turn)
    if (asker === undefined) {
      // It was withdrawn meanwhile. That has been said, unless it is the same turn once more.
      return
    }
    const { estimatedMillis, tenant } = asker.request
    this.#waiting.delete(turn)
    this.#held.set(turn, { ...asker, pool })
    this.#shares.waitsNoMore(tenant)
    this.#shares.charge(tenant, estimatedMillis)
    asker.give(pool)
  }
}
