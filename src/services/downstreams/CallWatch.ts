import { Context, Effect } from "effect"

/** Follows calls of downstreams that some work makes: whether they wait, and whether they are with the far side. */
export interface CallWatch {
  /** Runs the effect as one that waits for the downstream, unless an exchange is under way within it. */
  readonly waitingFor: <A, E, R>(downstream: string, call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Runs one exchange of such a call. */
  readonly exchange: <A, E, R>(downstream: string, exchange: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** The watch of the work that is being done, if it has one; it does not matter how that work came by the downstreams. */
export const CurrentCallWatch = Context.Reference<CallWatch | undefined>(
  "sluice/services/downstreams/CallWatch/CurrentCallWatch",
  { defaultValue: () => undefined }
)

/** Makes a call under the watch of the work that makes it. */
export const watched = <A, E, R, A2, E2, R2>(
  name: string,
  exchange: Effect.Effect<A, E, R>,
  call: (exchange: Effect.Effect<A, E, R>) => Effect.Effect<A2, E2, R2>
): Effect.Effect<A2, E2, R2> =>
  Effect.flatMap(CurrentCallWatch, (watch) =>
    watch === undefined ? call(exchange) : watch.waitingFor(name, call(watch.exchange(name, exchange)))
  )
