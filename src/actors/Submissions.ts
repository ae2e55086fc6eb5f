import { Clock, Context, Deferred, Effect, Layer } from "effect"
import { ShuttingDown } from "./Ingestion.ts"

/**
 * The submissions in flight: between the first byte and the commit. A blob put since the oldest of them began may be about
 * to get its document, so nobody removes it.
 */
export class Submissions extends Context.Service<
  Submissions,
  {
    /** Runs a submission, or refuses it once the engine is stopping. */
    readonly track: <A, E, R>(submission: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ShuttingDown, R>
    /** Blobs last put before this moment (milliseconds since the epoch) belong to no submission in flight. */
    readonly settledBefore: Effect.Effect<number>
    readonly refuseFromNowOn: Effect.Effect<void>
    /** Submissions are refused, and none is in flight any more. */
    readonly settled: Effect.Effect<void>
    readonly inFlight: () => number
    readonly accepting: Effect.Effect<boolean>
  }
>()("sluice/actors/Submissions") {
  static readonly layer = Layer.effect(
    Submissions,
    Effect.gen(function* () {
      const starts = new Set<{ readonly at: number }>()
      const settled = Deferred.makeUnsafe<void>()
      let accepting = true
      const tellWhenSettled = () => {
        if (!accepting && starts.size === 0) Deferred.doneUnsafe(settled, Effect.void)
      }
      const refuseFromNowOn = Effect.sync(() => {
        accepting = false
        tellWhenSettled()
      })
      yield* Effect.addFinalizer(() => refuseFromNowOn)

      const begin = Effect.flatMap(Clock.currentTimeMillis, (at) => {
        if (!accepting) return Effect.fail(new ShuttingDown())
        const start = { at }
        starts.add(start)
        return Effect.succeed(start)
      })

      return Submissions.of({
        track: (submission) =>
          Effect.acquireUseRelease(
            begin,
            () => submission,
            (start) =>
              Effect.sync(() => {
                starts.delete(start)
                tellWhenSettled()
              })
          ),
        settledBefore: Effect.map(Clock.currentTimeMillis, (now) => {
          let oldest = now
          for (const { at } of starts) oldest = Math.min(oldest, at)
          return oldest
        }),
        refuseFromNowOn,
        settled: Deferred.await(settled),
        inFlight: () => starts.size,
        accepting: Effect.sync(() => accepting)
      })
    })
  )
}
