import { Effect } from "effect"

/**
 * Runs a polling query of a background loop without a span: an idle engine would export nothing but such spans. The work that a
 * query finds has its own spans.
 */
export const untraced = <A, E, R>(query: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withTracerEnabled(query, false)
