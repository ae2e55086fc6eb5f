import { Clock, Duration, Effect, Schema } from "effect"

/** The work took longer, in all, than it may. */
export class RunTimeExceeded extends Schema.TaggedError<RunTimeExceeded>()("RunTimeExceeded", {}) {}

/**
 * Bounds the time during which at least one of several pieces of work runs. Time spent waiting between them is free, so
 * a document is not blamed for the queues it stands in.
 */
export const makeStopwatch = (limit: Duration.Duration) => {
  const limitMillis = Duration.toMillis(limit)
  let usedMillis = 0
  let running = 0
  let since = 0

  const start = Effect.map(Clock.currentTimeMillis, (now) => {
    if (running++ === 0) since = now
    return Math.max(0, limitMillis - usedMillis - (now - since))
  })

  const stop = Effect.map(Clock.currentTimeMillis, (now) => {
    if (--running === 0) usedMillis += now - since
  })

  return {
    run: <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | RunTimeExceeded, R> =>
      Effect.acquireUseRelease(
        start,
        (leftMillis) =>
          Effect.timeoutOrElse(work, {
            duration: leftMillis,
            orElse: () => Effect.fail(new RunTimeExceeded())
          }),
        () => stop
      )
  }
}
export type Stopwatch = ReturnType<typeof makeStopwatch>
