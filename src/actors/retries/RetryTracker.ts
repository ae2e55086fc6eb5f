import { Clock, Context, DateTime, Duration, Effect, Layer, Schedule } from "effect"
import type { DocumentId } from "../../domain/Ids.ts"

/** The documents that wait for a retry, with the time of their next attempt. */
export class RetryTracker extends Context.Service<
  RetryTracker,
  {
    /** Retries the effect for this document. During each wait, `nextAttempt` gives the time of the next attempt. */
    readonly retry: <E, O, R1>(
      id: DocumentId,
      options: { readonly schedule: Schedule.Schedule<O, unknown, never, R1>; readonly while: (error: E) => boolean }
    ) => <A, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | R1>
    readonly nextAttempt: (id: DocumentId) => Effect.Effect<DateTime.Utc | undefined>
  }
>()("sluice/actors/retries/RetryTracker") {
  static readonly layer = Layer.sync(RetryTracker, () => {
    const due = new Map<DocumentId, number>()
    return RetryTracker.of({
      retry: (id, options) => (effect) =>
        Effect.retry(effect, {
          schedule: Schedule.tap(options.schedule, ({ duration, now }) =>
            Effect.sync(() => due.set(id, now + Duration.toMillis(duration)))
          ),
          while: options.while
        }).pipe(Effect.ensuring(Effect.sync(() => due.delete(id)))),
      nextAttempt: (id) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const at = due.get(id)
          return at === undefined || at <= now ? undefined : DateTime.makeUnsafe(at)
        })
    })
  })
}
