import { Effect } from "effect"

/**
 * Gives an operation the moment at which it was called, in milliseconds since the epoch: the clock of this process is the
 * store's. A write that waits for its commit keeps its earlier moment, so a lease never lasts longer than was asked for.
 */
export const atNow = <A, E>(operation: (now: number) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.clockWith((clock) => operation(clock.currentTimeMillisUnsafe()))
