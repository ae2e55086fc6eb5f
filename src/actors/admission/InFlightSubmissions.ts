import { Context, Deferred, Effect, Layer } from "effect"
import { ShuttingDown } from "../Ingestion.ts"

/** The submissions of this process in flight: between the first byte and the commit. A shutdown waits for them. */
export class InFlightSubmissions extends Context.Service<
  InFlightSubmissions,
  {
    /** Runs a submission, or refuses it once the engine is stopping. */
    readonly track: <A, E, R>(submission: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ShuttingDown, R>
    readonly refuseFromNowOn: Effect.Effect<void>
    /** Submissions are refused, and none is in flight any more. */
    readonly settled: Effect.Effect<void>
    readonly inFlight: () => number
    readonly accepting: Effect.Effect<boolean>
  }
>()("sluice/actors/admission/InFlightSubmissions") {
  static readonly layer = Layer.effect(
    InFlightSubmissions,
    Effect.gen(function* () {
      const settled = Deferred.makeUnsafe<void>()
      let accepting = true
      let inFlight = 0
      const tellWhenSettled = () => {
        if (!accepting && inFlight === 0) Deferred.doneUnsafe(settled, Effect.void)
      }
      const refuseFromNowOn = Effect.sync(() => {
        accepting = false
        tellWhenSettled()
      })
      yield* Effect.addFinalizer(() => refuseFromNowOn)

      const begin = Effect.suspend(() => {
        if (!accepting) return Effect.fail(new ShuttingDown())
        inFlight++
        return Effect.void
      })

      return InFlightSubmissions.of({
        track: (submission) =>
          Effect.acquireUseRelease(
            begin,
            () => submission,
            () =>
              Effect.sync(() => {
                inFlight--
                tellWhenSettled()
              })
          ),
        refuseFromNowOn,
        settled: Deferred.await(settled),
        inFlight: () => inFlight,
        accepting: Effect.sync(() => accepting)
      })
    })
  )
}
