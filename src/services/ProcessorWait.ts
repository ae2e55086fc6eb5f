import { type Clock, Context, Effect } from "effect"

/** How long the work of one call was ready to run and waited for a processor: milliseconds so far. */
export class ProcessorWait {
  /** Set by the code that does the work, if it can measure the wait; 0 until then. */
  millis: () => number = () => 0
}

/**
 * The wait of the present call. Code that sets a deadline for a call provides one, so that a busy machine is not taken for a
 * slow file; the code that does the work, possibly in another process, fills it in.
 */
export const CurrentProcessorWait = Context.Reference<ProcessorWait>(
  "sluice/services/ProcessorWait/CurrentProcessorWait",
  {
    defaultValue: () => new ProcessorWait()
  }
)

/** Monotonic, because the time of day may be set. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Sleeps until no milliseconds are left, and asks again after each sleep: the wait for a processor is not known beforehand. */
export const untilNoneLeft = (left: () => number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const millis = left()
    // Whole milliseconds: after a sleep too short for the clock to show, it would sleep again for ever.
    return millis > 0 ? Effect.andThen(Effect.sleep(Math.ceil(millis)), untilNoneLeft(left)) : Effect.void
  })

/** Like `Effect.timeoutOrElse`, but `waitedMillis`, the time spent waiting for a processor, does not count. */
export const timeoutOfOwnTime =
  <A2, E2, R2>(options: {
    readonly millis: number
    readonly waitedMillis: () => number
    readonly orElse: () => Effect.Effect<A2, E2, R2>
  }) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2, R | R2> =>
    Effect.clockWith((clock) => {
      const start = monotonicMillis(clock)
      const waited = options.waitedMillis()
      const left = () => options.millis - (monotonicMillis(clock) - start) + (options.waitedMillis() - waited)
      return Effect.raceFirst(work, Effect.andThen(untilNoneLeft(left), Effect.suspend(options.orElse)))
    })
