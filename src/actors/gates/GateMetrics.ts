import { type Clock, type Context, Duration, Effect, type Semaphore } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { bracket } from "./Bracket.ts"

/** Counts the permits as in use while the effect runs. */
export const trackInUse = (name: Telemetry.Gate, permits = 1) => {
  const inUse = Telemetry.gateInUse.of(name)
  return bracket(
    (context) => inUse.modifyUnsafe(permits, context),
    (context) => inUse.modifyUnsafe(-permits, context)
  )
}

/** Records the wait for the permits of a gate since `asked`, and runs the effect as their holder. */
export const recordWait =
  (name: Telemetry.Gate, clock: Clock.Clock, asked: number, permits = 1) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.contextWith((context: Context.Context<never>) => {
      const now = clock.currentTimeMillisUnsafe()
      Telemetry.gateWait.of(name).updateUnsafe(Duration.millis(now - asked), context)
      const held = trackInUse(name, permits)(effect)
      return now > asked ? Effect.andThen(TraceContext.past(`Gate.${name}`, asked, now), held) : held
    })

/** Runs the effect under a permit of a gate. Measures the wait and the permits in use under the gate's name. */
export const throughGate =
  (name: Telemetry.Gate, gate: Semaphore.Semaphore) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => gate.withPermits(1)(recordWait(name, clock, clock.currentTimeMillisUnsafe())(effect)))

/** The same for work in a turn of a worker that was requested at `asked`. */
export const inTurn =
  (asked: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => recordWait("worker", clock, asked)(effect))
