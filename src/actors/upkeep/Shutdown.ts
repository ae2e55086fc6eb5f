import { Clock, Context, Duration, Effect, Layer, Option } from "effect"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PageScheduler } from "../scheduling/PageScheduler.ts"
import { Runner } from "../tenant/Runner.ts"
import { InFlightSubmissions } from "../admission/InFlightSubmissions.ts"

/**
 * Drains the engine. From then on new submissions are refused, no document is claimed and no turn of a worker is given.
 * Submissions in flight, and page ranges with the checkpoints of their pages, may end. Documents that have pages left go back
 * to their queues. The release that follows interrupts work that has not ended within the grace period.
 *
 * The background loops go on meanwhile, above all the renewal of leases.
 */
export class Shutdown extends Context.Service<
  Shutdown,
  {
    /** Succeeds when nothing is in flight or the grace period is over. A second run waits for the first one. */
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
        // Each in an interruptible child, because a deadline cannot interrupt the finalizer itself.
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
