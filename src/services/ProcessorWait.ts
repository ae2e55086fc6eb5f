import { type Clock, Context, Effect } from "effect"

/** How long the work of one call could have gone on and waited for a processor instead: milliseconds so far. */
export class ProcessorWait {
  /** Set by what does the work, if it can tell; 0 until then. */
  millis: () => number = () => 0
}

/**
 * That of the call being made. Whoever sets a deadline for a call provides one, so that a busy machine is not taken for a slow
 * file; what does the work, possibly in another process, fills it in.
 */
export const CurrentProcessorWait = Context.Reference<ProcessorWait>("sluice/services/CurrentProcessorWait", {
  defaultValue: () => new ProcessorWait()
})

/** Not the time of day, which may be set. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/**
 * Rests until no milliseconds are left, and asks again after each rest: what is waited for a processor is not known beforehand.
 */
export const untilNoneLeft = (left: () => number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const millis = left()
    // Whole milliseconds: a rest too small for the clock to show would be slept through for ever.
    return millis > 0 ? Effect.andThen(Effect.sleep(Math.ceil(millis)), untilNoneLeft(left)) : Effect.void
  })

/** As `Effect.timeoutOrElse`, but what `waitedMillis` tells does not count: it rises by what is waited for a processor. */
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
