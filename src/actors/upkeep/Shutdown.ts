import { Clock, Context, Duration, Effect, Layer } from "effect"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PageScheduler } from "../scheduling/PageScheduler.ts"
import { Runner } from "../tenant/Runner.ts"
import { InFlightSubmissions } from "../admission/InFlightSubmissions.ts"
import { HandOver } from "./HandOver.ts"

/** How long tenants that are handed over wait for page ranges in flight, most of which take less than a tenth of a second. */
const rangesEnd = Duration.millis(300)

/**
 * Drains the engine. From then on new submissions are refused, no document is claimed and no turn of a worker is given.
 * Submissions in flight, and page ranges with the checkpoints of their pages, may end. Documents that have pages left go back
 * to their queues. The release that follows interrupts work that has not ended within the grace period.
 *
 * In a cluster the tenants are handed over as soon as their ranges have ended, or after 0.3 seconds: they wait neither for
 * submissions in flight nor for what is stopped after the drain.
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
      const handOver = yield* HandOver

      /** Each in an interruptible child, because a deadline cannot interrupt the finalizer itself. */
      const within = (limit: Duration.Duration, wait: Effect.Effect<void>) =>
        Effect.raceFirst(
          Effect.interruptible(Effect.as(wait, true)),
          Effect.interruptible(Effect.as(Effect.sleep(limit), false))
        )
      const leave =
        handOver === undefined
          ? Effect.void
          : Effect.andThen(within(Duration.min(rangesEnd, shutdownGrace), runner.settled), handOver)

      const drain = Effect.gen(function* () {
        const start = yield* Clock.currentTimeMillis
        yield* submissions.refuseFromNowOn
        yield* runner.close
        yield* scheduler.close
        const inFlight = Effect.sync(() => ({ documents: runner.held().length, submissions: submissions.inFlight() }))
        const before = yield* inFlight
        const [isSettled] = yield* Effect.all(
          [within(shutdownGrace, Effect.andThen(runner.settled, submissions.settled)), leave],
          { concurrency: 2 }
        )
        if (!isSettled) {
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
