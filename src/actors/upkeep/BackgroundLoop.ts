/** The one shape of work that the engine repeats in the background. */
import { Cause, Effect, Latch, type Scope } from "effect"

export interface LoopOptions<E, R> {
  /** Names the loop in its log lines. */
  readonly name: string
  /** What is done again and again. */
  readonly pass: Effect.Effect<unknown, E, R>
  /** The wait between two passes. */
  readonly rest: Effect.Effect<unknown>
  /** A further wait after a pass that failed. */
  readonly restAfterFailure?: Effect.Effect<unknown>
  /** Whether the first pass begins at once, or after one rest. */
  readonly begins?: "at once" | "after a rest"
}

export interface BackgroundLoop {
  /** Succeeds when a pass has succeeded. */
  readonly ready: Effect.Effect<void>
}

const messageOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)

/**
 * Starts a loop that ends with the scope. A pass that fails or dies of a defect ends neither the loop nor the engine: the next
 * pass comes after the rest. The first failure in a row is logged, as a warning, or as an error if it is a defect; the following
 * ones at the level Debug; and the pass that succeeds again with the number of failures before it.
 */
export const backgroundLoop = <E, R>({
  begins = "at once",
  name,
  pass,
  rest,
  restAfterFailure = Effect.void
}: LoopOptions<E, R>): Effect.Effect<BackgroundLoop, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const ready = yield* Latch.make()
    let failures = 0

    const succeeded = Effect.suspend(() => {
      const before = failures
      failures = 0
      const logRecovery = before === 0 ? Effect.void : Effect.logInfo(`${name} works again`, { failures: before })
      return Effect.andThen(logRecovery, ready.open)
    })

    const failed = (cause: Cause.Cause<E>) =>
      Effect.suspend(() => {
        const isFirst = failures++ === 0
        const error = Cause.squash(cause)
        const text = `${name} failed: ${messageOf(error)}`
        const isDefect = Cause.hasDies(cause)
        const log = !isFirst ? Effect.logDebug : isDefect ? Effect.logError : Effect.logWarning
        return Effect.andThen(log(text, cause), restAfterFailure)
      })

    const loop = pass.pipe(
      Effect.matchCauseEffect({ onSuccess: () => succeeded, onFailure: failed }),
      Effect.andThen(rest),
      Effect.forever
    )
    yield* (begins === "at once" ? loop : Effect.andThen(rest, loop)).pipe(Effect.forkScoped)
    return { ready: ready.await }
  })
