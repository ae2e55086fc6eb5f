import { Clock, Duration, Effect, Metric, type Semaphore } from "effect"
import * as Telemetry from "../services/Telemetry.ts"
import * as TraceContext from "../services/TraceContext.ts"

/** Runs the effect while it holds a permit of a gate; the wait and the permits in use are measured under the gate's name. */
export const throughGate =
  (name: Telemetry.Gate, gate: Semaphore.Semaphore) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (asked) =>
      gate.withPermits(1)(
        Effect.gen(function* () {
          const given = yield* Clock.currentTimeMillis
          yield* Metric.update(Telemetry.gateWait.of(name), Duration.millis(given - asked))
          yield* TraceContext.past(`Gate.${name}`, asked, given)
          return yield* holding(name)(effect)
        })
      )
    )

/** The same for work in a turn of a worker that was `asked` for at that moment. */
export const inTurn =
  (asked: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (given) =>
      Metric.update(Telemetry.gateWait.of("worker"), Duration.millis(given - asked)).pipe(
        Effect.andThen(TraceContext.past("Gate.worker", asked, given)),
        Effect.andThen(holding("worker")(effect))
      )
    )

/** Counts the permits as in use while the effect runs. */
export const holding =
  (name: Telemetry.Gate, permits = 1) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Metric.modify(Telemetry.gateInUse.of(name), permits),
      () => effect,
      () => Metric.modify(Telemetry.gateInUse.of(name), -permits)
    )
