import { Cause, Exit, Option } from "effect"
import { CircuitBreaker } from "effect/persistence"
import type { TryOutcome } from "../../observability/Telemetry.ts"
import {
  type FarSideError,
  FarSideRefused,
  FarSideTimeout,
  FarSideUnavailable
} from "../../services/downstreams/Downstreams.ts"

export const isFarSideError = (error: unknown): error is FarSideError =>
  error instanceof FarSideRefused || error instanceof FarSideUnavailable || error instanceof FarSideTimeout

/** The error of the far side with which a try ended. */
export const farSideErrorOf = (exit: Exit.Exit<unknown, unknown>): FarSideError | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return isFarSideError(error) ? error : undefined
}

/** An error of the page's own is an answer, too: the far side works. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): TryOutcome => {
  if (Exit.isSuccess(exit)) return "answered"
  const error = farSideErrorOf(exit)
  if (error === undefined) return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "page_failed"
  const outcomes = { FarSideRefused: "refused", FarSideUnavailable: "unavailable", FarSideTimeout: "timeout" } as const
  return outcomes[error._tag]
}

/** A 429 says that it works and has enough to do, so it does not count at the breaker; a 503 does. */
export const breakerOutcome = (exit: Exit.Exit<unknown, unknown>): CircuitBreaker.Outcome => {
  const error = farSideErrorOf(exit)
  if (error === undefined) return outcomeOf(exit) === "interrupted" ? CircuitBreaker.ignored : CircuitBreaker.success
  return error._tag === "FarSideRefused" && error.status === 429 ? CircuitBreaker.ignored : CircuitBreaker.failure()
}
