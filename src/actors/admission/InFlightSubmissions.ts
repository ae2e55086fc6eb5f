import { Clock, Context, Deferred, Effect, Layer } from "effect"
import { ShuttingDown } from "../Ingestion.ts"

/**
 * The submissions in flight: between the first byte and the commit. A blob put or touched since the oldest of them began may
 * be about to get its document, so it is not removed. The same holds for bytes fetched for an existing document.
 */
export class InFlightSubmissions extends Context.Service<
  InFlightSubmissions,
  {
    /** Runs a submission, or refuses it once the engine is stopping. */
    readonly track: <A, E, R>(submission: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ShuttingDown, R>
    /** Protects blobs put meanwhile from removal, like a submission in flight. Unlike a submission it is never refused. */
    readonly protect: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** No submission in flight uses a blob last put or touched before this moment (milliseconds since the epoch). */
    readonly settledBefore: Effect.Effect<number>
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
      const starts = new Set<{ readonly at: number }>()
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

      const start = Effect.map(Clock.currentTimeMillis, (at) => {
        const started = { at }
        starts.add(started)
        return started
      })
      const begin = Effect.suspend(() => {
        if (!accepting) return Effect.fail(new ShuttingDown())
        inFlight++
        return start
      })

      return InFlightSubmissions.of({
        track: (submission) =>
          Effect.acquireUseRelease(
            begin,
            () => submission,
            (started) =>
              Effect.sync(() => {
                starts.delete(started)
                inFlight--
                tellWhenSettled()
              })
          ),
        protect: (effect) =>
          Effect.acquireUseRelease(
            start,
            () => effect,
            (started) => Effect.sync(() => starts.delete(started))
          ),
        settledBefore: Effect.map(Clock.currentTimeMillis, (now) => {
          let oldest = now
          for (const { at } of starts) oldest = Math.min(oldest, at)
          return oldest
        }),
        refuseFromNowOn,
        settled: Deferred.await(settled),
        inFlight: () => inFlight,
        accepting: Effect.sync(() => accepting)
      })
    })
  )
}
