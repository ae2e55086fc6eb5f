import { type Clock, Effect } from "effect"
import type { Emit } from "../services/TraceContext.ts"

/** Shows the checkpoints of one range as one span, from the first that began to the last that ended. */
export class CheckpointSpan {
  readonly #emit: Emit
  #from: number | undefined
  #open = 1
  #pages = 0

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** Counts one checkpoint, of so many pages, from now on: its fiber may begin after the range has ended. */
  around<A, E, R>(pages: number, checkpoint: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    this.#open++
    this.#pages += pages
    return Effect.clockWith((clock) => {
      this.#from ??= clock.currentTimeMillisUnsafe()
      return Effect.ensuring(
        checkpoint,
        Effect.sync(() => this.#end(clock))
      )
    })
  }

  /** The range has ended: no further checkpoint begins. */
  readonly close: Effect.Effect<void> = Effect.clockWith((clock) => Effect.sync(() => this.#end(clock)))

  #end(clock: Clock.Clock): void {
    if (--this.#open > 0 || this.#from === undefined) return
    this.#emit({
      name: "DocumentActor.checkpoints",
      from: this.#from,
      to: clock.currentTimeMillisUnsafe(),
      attributes: { "range.pages": this.#pages }
    })
  }
}
