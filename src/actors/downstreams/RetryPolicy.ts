import { Duration, Effect, Schedule } from "effect"
import { FarSideRefused, FarSideUnavailable } from "../../services/downstreams/Downstreams.ts"
import type { DownstreamSettings } from "../../services/downstreams/DownstreamSettings.ts"

/** The errors after which the same call may succeed. */
export type Passing = FarSideRefused | FarSideUnavailable

export const isPassing = (error: unknown): error is Passing =>
  error instanceof FarSideRefused || (error instanceof FarSideUnavailable && error.permanent !== true)

const retryAfterOf = (error: unknown): number => (isPassing(error) ? (error.retryAfterMillis ?? 0) : 0)

/**
 * The one loop of retries of a call: exponential with jitter, never before the far side's `Retry-After`, bounded in number and
 * in time. A try that would begin later than the bound is not waited for.
 */
export const retrySchedule = ({ first, longest, times, within }: DownstreamSettings["retry"]) =>
  Schedule.exponential(first).pipe(
    Schedule.jittered,
    Schedule.setInputType<unknown>(),
    Schedule.modifyDelay(({ duration, input }) =>
      Effect.succeed(
        Duration.max(Duration.min(duration, Duration.millis(longest)), Duration.millis(retryAfterOf(input)))
      )
    ),
    Schedule.while(
      ({ attempt, duration, elapsed }) => attempt <= times && elapsed + Duration.toMillis(duration) <= within
    )
  )
