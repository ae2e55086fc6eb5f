import { Clock, Context, Duration, Effect, Layer, Option } from "effect"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PageScheduler } from "../scheduling/PageScheduler.ts"
import { Runner } from "../tenant/Runner.ts"
import { InFlightSubmissions } from "../admission/InFlightSubmissions.ts"

/**
 * Brings the engine to rest. New submissions are refused, no document is claimed and no turn of a worker is given any more;
 * what is in flight may end: submissions, and page ranges with the checkpoints of their pages. Documents that have pages
 * left go back to their queues. Whatever is not done within the grace is interrupted by the release that follows.
 *
 * The loops go on meanwhile, above all the one that keeps the leases.
 */
export class Shutdown extends Context.Service<
  Shutdown,
  {
    /** Succeeds when nothing is in flight or the grace is over. Run again, it waits for the first run. */
    readonly run: Effect.Effect<void>
  }
>()("sluice/actors/upkeep/Shutdown") {
  /** Also drains when it is released. */
  static readonly layer = Layer.effect(
    Shutdown,
    Effect.gen(function* () {
      const { shutdownGrace } = yield* EngineConfig
      const runner = yield* Runner
      const scheduler = yield* PageScheduler
      const submissions = yield* InFlightSubmissions

      const drain = Effect.gen(function* () {
        const start = yield* Clock.currentTimeMillis
        yield* submissions.refuseFromNowOn
        yield* runner.close
        yield* scheduler.close
        const inFlight = Effect.sync(() => ({ documents: runner.held().length, submissions: submissions.inFlight() }))
        const before = yield* inFlight
        // In an interruptible child each: a finalizer itself cannot be interrupted by a deadline.
        const settled = yield* Effect.raceFirst(
          Effect.interruptible(Effect.asSome(Effect.andThen(runner.settled, submissions.settled))),
          Effect.interruptible(Effect.as(Effect.sleep(shutdownGrace), Option.none<void>()))
        )
        if (Option.isNone(settled)) {
          const grace = Duration.format(shutdownGrace)
          yield* Effect.logWarning(`not everything in flight has ended within ${grace}`).pipe(
            Effect.annotateLogs(yield* inFlight)
          )
          return
        }
        const millis = (yield* Clock.currentTimeMillis) - start
        if (before.documents + before.submissions > 0) {
          yield* Effect.logInfo("drained").pipe(Effect.annotateLogs({ ...before, millis }))
        }
      })

      const run = yield* Effect.cached(drain)
      yield* Effect.addFinalizer(() => run)
      return Shutdown.of({ run })
    })
  )
}
