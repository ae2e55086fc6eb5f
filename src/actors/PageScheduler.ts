import { Clock, Context, Deferred, Effect, Layer } from "effect"
import { PdfEngine } from "../services/PdfEngine.ts"
import { FairQueue, type Turn } from "./FairQueue.ts"

/**
 * Gives the workers' time to tenants in turns, fairly by the time they use. As many turns run at once as the engine has
 * workers, so whoever holds a turn never waits for a worker.
 */
export class PageScheduler extends Context.Service<
  PageScheduler,
  {
    readonly turns: number
    /** Runs the effect when its turn comes, and charges the tenant for the time it took. */
    readonly run: (turn: Turn) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("sluice/actors/PageScheduler") {
  static readonly layer = Layer.effect(
    PageScheduler,
    Effect.gen(function* () {
      const { capacity } = yield* PdfEngine
      const queue = new FairQueue<Deferred.Deferred<void>>()
      let free = capacity

      const giveTurns = () => {
        while (free > 0) {
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
          giveTurns()
        })

      const waitForTurn = (turn: Turn) =>
        Effect.suspend(() => {
          const given = Deferred.makeUnsafe<void>()
          const withdraw = queue.add(turn, given)
          giveTurns()
          return Deferred.await(given).pipe(
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
              yield* restore(waitForTurn(turn))
              const start = yield* Clock.currentTimeNanos
              return yield* restore(work).pipe(
                Effect.ensuring(
                  Effect.flatMap(Clock.currentTimeNanos, (end) => endTurn(turn, Number(end - start) / 1e6))
                )
              )
            })
          )
      })
    })
  )
}
