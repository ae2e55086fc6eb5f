import { Clock, Context, Data, Deferred, Effect, Layer } from "effect"
import { CurrentPool, type Pool } from "../../services/pools/Pools.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { Preempted } from "../gates/Preemption.ts"
import { FairShares } from "./FairShares.ts"
import { OwnTurns } from "./OwnTurns.ts"
import type { Turn, TurnSource } from "./Turn.ts"

export type { Turn } from "./Turn.ts"

/** The engine is stopping, so this turn is not given. Turns that were given go on to their end. */
export class SchedulerClosed extends Data.TaggedError("SchedulerClosed")<{}> {}

/**
 * Gives the workers' time to tenants in turns, fairly by the time they use: an estimate is charged when a turn is given, and
 * settled to what was measured. A turn is given when a worker is ready for it, so its holder never waits for a worker, and no
 * tenant is charged for the time in which workers start or stop.
 */
export class PageScheduler extends Context.Service<
  PageScheduler,
  {
    /** How many turns a document should ask for at once, at present. */
    readonly turns: () => number
    /** Milliseconds that a turn should take. */
    readonly turnMillis: () => number
    /** Runs the effect when its turn comes, and charges the tenant for the time it took. */
    readonly run: (
      turn: Turn
    ) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SchedulerClosed | Preempted, R>
    /** Gives no more turns: requests that wait, and later ones, are refused. */
    readonly close: Effect.Effect<void>
  }
>()("sluice/actors/scheduling/PageScheduler") {
  /** Shares the workers of this process. */
  static readonly layer = Layer.effect(
    PageScheduler,
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const own = new OwnTurns(yield* FairShares, engine)
      yield* engine.onReady(own.readyChanged)
      return makePageScheduler(own)
    })
  )
}

/** Interruptible only where `restore` allows it, so that a turn that was given is either held or ended. */
const waitForTurn = (
  source: TurnSource,
  turn: Turn,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
) =>
  Effect.suspend(() => {
    const { permit } = turn
    if (permit?.isRequested === true) return Effect.fail(new Preempted())
    const given = Deferred.makeUnsafe<Pool | undefined, Preempted>()
    let isGiven = false
    const { end, withdraw } = source.ask(turn, (pool) => {
      isGiven = true
      permit?.turnGiven()
      Deferred.doneUnsafe(given, Effect.succeed(pool))
    })
    const ended = (usedMillis: number) => {
      permit?.turnEnded()
      end(usedMillis)
    }
    const unwatch = permit?.onRequest(() => {
      if (isGiven) return
      withdraw()
      Deferred.doneUnsafe(given, Effect.fail(new Preempted()))
    })
    return restore(Deferred.await(given)).pipe(
      Effect.map((pool) => ({ pool, ended })),
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          if (isGiven) ended(0)
          else withdraw()
        })
      ),
      Effect.ensuring(Effect.sync(() => unwatch?.()))
    )
  })

export const makePageScheduler = (source: TurnSource) => {
  let open = true
  return PageScheduler.of({
    turns: source.turns,
    turnMillis: source.turnMillis,
    run: (turn) => (work) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const { ended, pool } = yield* waitForTurn(source, turn, restore)
          if (!open) {
            ended(0)
            return yield* new SchedulerClosed()
          }
          const placed = pool === undefined ? work : Effect.provideService(work, CurrentPool, pool)
          const start = yield* Clock.currentTimeNanos
          return yield* restore(placed).pipe(
            Effect.onExit(() => Effect.map(Clock.currentTimeNanos, (end) => ended(Number(end - start) / 1e6)))
          )
        })
      ),
    close: Effect.sync(() => {
      open = false
      source.close()
    })
  })
}
