import { Duration, Effect, Schedule } from "effect"

/**
 * The retries of the actors, by name. Work is retried with jitter and a bounded number of times, and so waits for a bounded
 * time; only an actor that died is restarted without end.
 */

/** A store of documents or blobs that is unavailable for a moment. */
const storeRetry = Schedule.exponential("100 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 8, duration: "30 seconds" })
)

/** Calls the store again while it is unavailable. What still fails afterwards is handed back and found again by the sweep. */
export const retryingStore = <A, E extends { readonly _tag: string }, R>(call: Effect.Effect<A, E, R>) =>
  // A schedule costs more than many a call, so it is set up for those that failed.
  Effect.catchIf(call, isUnavailable, (failed) => {
    // The first try that the schedule sees is the call that failed, so its first wait comes before another.
    let before: E | undefined = failed
    const again = Effect.suspend(() => {
      const first = before
      before = undefined
      return first === undefined ? call : Effect.fail(first)
    })
    return Effect.retry(again, { schedule: storeRetry, while: isUnavailable })
  })

const isUnavailable = ({ _tag }: { readonly _tag: string }) =>
  _tag === "StoreUnavailable" || _tag === "BlobStoreUnavailable"

/** A page that failed, or whose worker died. `pageFailureBudget` and `pageDeathBudget` end it earlier. */
export const pageRetry = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 10 }))

/** A worker that died while opening the document alone: once more, on another worker. */
export const openRetry = Schedule.exponential("50 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 1 }))

/** A source that is down or slow at the moment. */
export const sourceRetry = Schedule.exponential("1 second").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 4, duration: "2 minutes" })
)

/** A tenant actor that died of a defect. Always restarted; soon enough that no lease runs out behind its full mailbox. */
export const actorRestart = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/** Rest of a tenant's slot after the store failed it for good, before it asks for work again. */
export const storeRest = Duration.seconds(2)

/** How often one page may fail, and how often a worker may die on it, before it is condemned. */
export const pageFailureBudget = 3
export const pageDeathBudget = 2

/** Pages read at once by one worker; more gains nothing. */
export const maxConcurrencyPerWorker = 4
