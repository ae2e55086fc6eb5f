import { Data, Deferred, Effect } from "effect"
import { type CallWatch, CurrentCallWatch } from "../../services/downstreams/CallWatch.ts"
import { outcomeOf } from "../downstreams/FarSide.ts"
import { bracket } from "../gates/Bracket.ts"

/** The stage was stopped before it did its work: nothing of it is stored, and a later run does it. */
export class Withdrawn extends Data.TaggedError("Withdrawn")<{}> {}

/** Told when calls of a document begin or cease to wait for a downstream. */
export type OnWaiting = (downstream: string, calls: 1 | -1) => void

/**
 * The calls of one run of a stage. When the run is to stop, one that waits for its first answer is withdrawn at once, since
 * nothing is lost by it. A run with a call under way, or with an answer that is not stored yet, may end: that call may have to
 * be paid.
 */
export class StageCalls implements CallWatch {
  readonly #withdrawn = Deferred.makeUnsafe<never, Withdrawn>()
  readonly #onWaiting: OnWaiting
  #waiting = 0
  #underWay = 0
  #hasAnswer = false
  #isStopping = false

  constructor(onWaiting: OnWaiting) {
    this.#onWaiting = onWaiting
  }

  /** No further call is sent, unless an earlier one was answered. */
  stop(): void {
    this.#isStopping = true
    this.#withdrawIfIdle()
  }

  withdraw(): void {
    Deferred.doneUnsafe(this.#withdrawn, Effect.fail(new Withdrawn()))
  }

  #withdrawIfIdle(): void {
    if (this.#isStopping && this.#waiting > 0 && this.#underWay === 0 && !this.#hasAnswer) this.withdraw()
  }

  #wait(downstream: string, calls: 1 | -1): void {
    this.#waiting += calls
    this.#onWaiting(downstream, calls)
    this.#withdrawIfIdle()
  }

  /** Runs the effect as one that waits for the downstream. */
  waitingFor<A, E, R>(downstream: string, call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return bracket(
      () => this.#wait(downstream, 1),
      () => this.#wait(downstream, -1)
    )(call)
  }

  /** One exchange with the far side, of a call that waits before and, if it is refused, after it. */
  exchange<A, E, R>(downstream: string, exchange: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return bracket(
      () => {
        this.#underWay++
        this.#wait(downstream, -1)
      },
      () => {
        this.#underWay--
        this.#wait(downstream, 1)
      }
    )(
      Effect.onExitPrimitive(exchange, (exit) => {
        const outcome = outcomeOf(exit)
        if (outcome === "answered" || outcome === "page_failed") this.#hasAnswer = true
        return undefined
      })
    )
  }

  /** Runs the stage. It fails with `Withdrawn` when it is withdrawn; it has ended then. */
  run<A, E, R>(stage: Effect.Effect<A, E, R>): Effect.Effect<A, E | Withdrawn, R> {
    return Effect.raceFirst(Effect.provideService(stage, CurrentCallWatch, this), Deferred.await(this.#withdrawn))
  }

  /** Waits for the downstream, unless it is withdrawn. */
  rest(downstream: string, millis: number): Effect.Effect<void, Withdrawn> {
    return Effect.raceFirst(this.waitingFor(downstream, Effect.sleep(millis)), Deferred.await(this.#withdrawn))
  }
}
