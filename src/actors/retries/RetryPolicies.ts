import { Duration, Effect, Schedule } from "effect"

/**
 * The retry policies of the actors. Work is retried with jitter and a bounded number of times, so it waits for a bounded time.
 * Only an actor that died is restarted without end.
 */

/** How long a tenant's slot rests after all retries of a store call have failed, before it queries for work again. */
export const storeRest = Duration.seconds(2)

/** For a store of documents or blobs that is unavailable for a moment. */
const storeRetry = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 8, duration: "30 seconds" })
)

/** Retries the call while the store is unavailable. A document that still fails is given back, and the sweep finds it again. */
export const retryingStore = <A, E extends { readonly _tag: string }, R>(call: Effect.Effect<A, E, R>) =>
  retryLazily(call, storeRetry, isUnavailable)

/**
 * The same for what was paid for: it is tried again for as long as `goesOn` says, since giving it up would be to pay again. Each
 * round has the tries of `retryingStore`.
 */
export const retryingPaid = <A, E extends { readonly _tag: string }, R>(
  call: Effect.Effect<A, E, R>,
  goesOn: () => boolean
) => Effect.retry(call, { schedule: Schedule.spaced(storeRest), while: (error) => isUnavailable(error) && goesOn() })

/** `Effect.retry`, but the schedule is set up after a failure only: a call that succeeds costs 0.9 µs instead of 9. */
const retryLazily = <A, E, R>(
  call: Effect.Effect<A, E, R>,
  schedule: Schedule.Schedule<unknown>,
  isRetried: (error: E) => boolean
) =>
  Effect.catchIf(call, isRetried, (failed) => {
    // The schedule gets the known failure as its first try, so that it waits before it makes a further call.
    let next: Effect.Effect<A, E, R> = Effect.fail(failed)
    const tries = Effect.suspend(() => {
      const now = next
      next = call
      return now
    })
    return Effect.retry(tries, { schedule, while: isRetried })
  })

const isUnavailable = ({ _tag }: { readonly _tag: string }) =>
  _tag === "StoreUnavailable" || _tag === "BlobStoreUnavailable"

/** For a page that failed, or whose worker died. `pageFailureBudget` and `pageDeathBudget` end the retries earlier. */
export const pageRetry = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 10 }))

/** For a worker that died while opening the document without pages: one retry, on another worker. */
export const openRetry = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 1 }))

/**
 * For a runner that was lost while it opened a file: others are asked. Many in a row are no chance, so the document is given back
 * then.
 */
export const poolRetry = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

/** For a source that is down or slow at the moment. */
export const sourceRetry = Schedule.exponential("1 second").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 4, duration: "2 minutes" })
)

/** For a tenant actor that died of a defect. Its delay is short, so that no lease runs out behind its full mailbox. */
export const actorRestart = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** How often one page may fail, and how often a worker may die on it, before the page fails for good. */
export const pageFailureBudget = 3
export const pageDeathBudget = 2
