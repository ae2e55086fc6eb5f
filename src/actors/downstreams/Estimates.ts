import type { CallOptions, Measured } from "../../services/downstreams/Downstreams.ts"

const weightOfNewest = 0.1

/** What calls of one downstream use, as a moving average. */
export class Estimates {
  #usual: Measured | undefined

  of(said: CallOptions["estimate"]): Measured {
    return { millis: 100, tokens: 0, cost: 0, ...this.#usual, ...said }
  }

  learn(used: Measured): void {
    const usual = this.#usual ?? used
    const moved = (before: number, now: number) => before + weightOfNewest * (now - before)
    this.#usual = {
      millis: moved(usual.millis, used.millis),
      tokens: moved(usual.tokens, used.tokens),
      cost: moved(usual.cost, used.cost)
    }
  }
}
