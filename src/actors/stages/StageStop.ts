import { Deferred, Duration, Effect } from "effect"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { type GlobalPermit, Preempted } from "../gates/Preemption.ts"
import { SchedulerClosed } from "../scheduling/PageScheduler.ts"
import { type OnWaiting, StageCalls, Withdrawn } from "./StageCalls.ts"

export type StopReason = Preempted | SchedulerClosed

/** How long stages may take to end after their document was preempted. */
const grace = Duration.seconds(30)

/**
 * Stops the stages of one document: no stage begins any more, those that wait for a downstream are withdrawn, and those with a
 * call under way may end.
 */
export class StageStop {
  readonly #running = new Set<StageCalls>()
  readonly #stopped = Deferred.makeUnsafe<never, StopReason>()
  #reason: StopReason | undefined

  get reason(): StopReason | undefined {
    return this.#reason
  }

  /** Fails when the stages are stopped. */
  get stopped(): Effect.Effect<never, StopReason> {
    return Deferred.await(this.#stopped)
  }

  stop(reason: StopReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    for (const calls of this.#running) calls.stop()
    Deferred.doneUnsafe(this.#stopped, Effect.fail(reason))
  }

  /** The time to end is over. */
  withdrawAll(): void {
    for (const calls of this.#running) calls.withdraw()
  }

  /** Runs a stage, unless the stages are stopped. */
  during<A, E, R>(
    onWaiting: OnWaiting,
    stage: (calls: StageCalls) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | Withdrawn, R> {
    return Effect.suspend((): Effect.Effect<A, E | Withdrawn, R> => {
      if (this.#reason !== undefined) return Effect.fail(new Withdrawn())
      const calls = new StageCalls(onWaiting)
      this.#running.add(calls)
      return Effect.ensuring(
        stage(calls),
        Effect.sync(() => this.#running.delete(calls))
      )
    })
  }
}

/** Stopped when the document's permit is requested for another tenant, or when the engine closes; until the scope ends. */
export const makeStageStop = Effect.fnUntraced(function* (permit: GlobalPermit, closing: Effect.Effect<void>) {
  const { shutdownGrace } = yield* EngineConfig
  const stop = new StageStop()
  // So that what is withdrawn at last can still be given back in order.
  const most = Duration.min(grace, Duration.times(shutdownGrace, 0.8))
  const preempt = () => stop.stop(new Preempted())
  if (permit.isRequested) preempt()
  const unwatch = permit.onRequest(preempt)
  yield* Effect.addFinalizer(() => Effect.sync(unwatch))
  yield* Effect.forkScoped(
    Effect.andThen(
      closing,
      Effect.sync(() => stop.stop(new SchedulerClosed()))
    )
  )
  yield* Effect.forkScoped(
    Effect.catch(stop.stopped, () =>
      Effect.andThen(
        Effect.sleep(most),
        Effect.sync(() => stop.withdrawAll())
      )
    )
  )
  return stop
})
