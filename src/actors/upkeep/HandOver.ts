import { Context, type Effect } from "effect"

/**
 * Hands the tenants of this process over to others, and ends when they are handed over: their actors are stopped, which gives
 * back what they still run. Undefined where there are no others.
 */
export const HandOver = Context.Reference<Effect.Effect<void> | undefined>("sluice/actors/upkeep/HandOver", {
  defaultValue: () => undefined
})
