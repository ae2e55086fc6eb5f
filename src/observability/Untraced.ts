import { Effect } from "effect"

/**
 * What a loop asks again and again, to find out whether there is anything to do. An idle engine would export nothing but the spans of
 * such questions; what is then done has spans of its own.
 */
export const untraced = <A, E, R>(look: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withTracerEnabled(look, false)
