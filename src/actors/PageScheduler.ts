import { Clock, Context, Data, Deferred, Effect, Layer } from "effect"
import { PdfEngine } from "../services/PdfEngine.ts"
import { FairQueue, type Turn } from "./FairQueue.ts"

/** The engine is stopping: this turn is not given any more. Turns that were given go on to their end. */
export class SchedulerClosed extends Data.TaggedError("SchedulerClosed")<{}> {}

/**
 * Gives the workers' time to tenants in turns, fairly by the time they use. As many turns run at once as the engine has
 * workers, so whoever holds a turn never waits for a worker.
 */
export class PageScheduler extends Context.Service<
  PageScheduler,
  {
    readonly turns: number
    /** Runs the effect when its turn comes, and charges the tenant for the time it took. */
    readonly run: (turn: Turn) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SchedulerClosed, R>
    /** No more turns, neither for who waits for one nor for who comes. */
    readonly close: Effect.Effect<void>
  }
>()("sluice/actors/PageScheduler") {
  static readonly layer = Layer.effect(
    PageScheduler,
    Effect.gen(function* () {
      const { capacity } = yield* PdfEngine
      const queue = new FairQueue<Deferred.Deferred<void>>()
      let free = capacity
      let open = true

      /** Once closed everyone gets a turn at once, to learn that it is void. */
      const giveTurns = () => {
        while (free > 0 || !open) {
          const next = queue.take()
          if (next === undefined) return
          free--
          Deferred.doneUnsafe(next.item, Effect.void)
        }
      }

      const endTurn = (turn: Turn, usedMillis: number) =>
        Effect.sync(() => {
          queue.settle(turn, usedMillis)
          free++
          // Not at once: who gives a turn back may be about to ask for the next one, and is to be weighed with the others.
          queueMicrotask(giveTurns)
        })

      /** Not to be interrupted but where it is restored: a turn that is given is held or ended. */
      const waitForTurn = (turn: Turn, restore: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>) =>
        Effect.suspend(() => {
          const given = Deferred.makeUnsafe<void>()
          const withdraw = queue.add(turn, given)
          giveTurns()
          return restore(Deferred.await(given)).pipe(
            Effect.onInterrupt(() =>
              Effect.suspend(() => {
                withdraw()
                return Deferred.isDoneUnsafe(given) ? endTurn(turn, 0) : Effect.void
              })
            )
          )
        })

      return PageScheduler.of({
        turns: capacity,
        run: (turn) => (work) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              yield* waitForTurn(turn, restore)
              if (!open) {
                yield* endTurn(turn, 0)
                return yield* new SchedulerClosed()
              }
              const start = yield* Clock.currentTimeNanos
              return yield* restore(work).pipe(
                Effect.ensuring(
                  Effect.flatMap(Clock.currentTimeNanos, (end) => endTurn(turn, Number(end - start) / 1e6))
                )
              )
            })
          ),
        close: Effect.sync(() => {
          open = false
          giveTurns()
        })
      })
    })
  )
}
