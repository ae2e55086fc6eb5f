import { Clock, Context, Data, Deferred, Effect, Layer } from "effect"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { FairQueue, type Place, takeFirst } from "./FairQueue.ts"
import { FairShares } from "./FairShares.ts"
import { type GlobalPermit, Preempted } from "../gates/Preemption.ts"

/** The engine is stopping, so this turn is not given. Turns that were given go on to their end. */
export class SchedulerClosed extends Data.TaggedError("SchedulerClosed")<{}> {}

/** A request for a turn: to open a document, or to read a range of its pages under its permit. */
export interface Turn extends Place {
  readonly estimatedMillis: number
  /** Goes before the turns of all tenants that were not idle. */
  readonly isNewcomer?: boolean
  /** Once the permit is requested for another tenant, turns that are not begun are refused. */
  readonly permit?: GlobalPermit
}

interface Waiting {
  readonly turn: Turn
  readonly given: Deferred.Deferred<void, Preempted>
}

/**
 * Gives the workers' time to tenants in turns, fairly by the time they use: an estimate is charged when a turn is given, and
 * settled to what was measured. A turn is given when a worker is ready for it, so its holder never waits for a worker, and no
 * tenant is charged for the time in which workers start or stop.
 */
export class PageScheduler extends Context.Service<
  PageScheduler,
  {
    readonly turns: number
    /** Runs the effect when its turn comes, and charges the tenant for the time it took. */
    readonly run: (
      turn: Turn
    ) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SchedulerClosed | Preempted, R>
    /** Gives no more turns: requests that wait, and later ones, are refused. */
    readonly close: Effect.Effect<void>
  }
>()("sluice/actors/scheduling/PageScheduler") {
  static readonly layer = Layer.effect(
    PageScheduler,
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const shares = yield* FairShares
      const newcomers = new FairQueue<Waiting>(shares)
      const others = new FairQueue<Waiting>(shares)
      let given = 0
      let open = true

      const mostTurns = () => Math.min(engine.capacity, engine.ready())

      /** After the close every request gets its turn at once, and then learns that the turn is void. */
      const giveTurns = () => {
        while (given < mostTurns() || !open) {
          const next = takeFirst(shares, newcomers, others)
          if (next === undefined) return
          given++
          shares.charge(next.turn.tenant, next.turn.estimatedMillis)
          next.turn.permit?.turnGiven()
          Deferred.doneUnsafe(next.given, Effect.void)
        }
      }

      const endTurn = ({ estimatedMillis, permit, tenant }: Turn, usedMillis: number) =>
        Effect.sync(() => {
          given--
          permit?.turnEnded()
          shares.settle(tenant, estimatedMillis, usedMillis)
          // Not at once: the holder that gives this turn back may be about to request its next one, and has to compete too.
          queueMicrotask(giveTurns)
        })

      yield* engine.onReady(() => queueMicrotask(giveTurns))

      /** Interruptible only where `restore` allows it, so that a turn that was given is either held or ended. */
      const waitForTurn = (turn: Turn, restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
        Effect.suspend(() => {
          if (turn.permit?.isRequested === true) return Effect.fail(new Preempted())
          const given = Deferred.makeUnsafe<void, Preempted>()
          const withdraw = (turn.isNewcomer === true ? newcomers : others).add(turn, { turn, given })
          let refused = false
          const unwatch = turn.permit?.onRequest(() => {
            if (Deferred.isDoneUnsafe(given)) return
            refused = true
            withdraw()
            Deferred.doneUnsafe(given, Effect.fail(new Preempted()))
          })
          giveTurns()
          return restore(Deferred.await(given)).pipe(
            Effect.onInterrupt(() =>
              Effect.suspend(() => {
                withdraw()
                return Deferred.isDoneUnsafe(given) && !refused ? endTurn(turn, 0) : Effect.void
              })
            ),
            Effect.ensuring(Effect.sync(() => unwatch?.()))
          )
        })

      return PageScheduler.of({
        turns: engine.capacity,
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
                Effect.onExit(() =>
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
