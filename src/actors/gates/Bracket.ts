import { type Context, Effect } from "effect"

/**
 * Runs `begin`, the effect and `end`, like `Effect.acquireUseRelease`. `begin` and `end` are synchronous, so no interruption has
 * to be masked for them. That is much cheaper on a path that every document takes several times.
 */
export const bracket =
  (begin: (context: Context.Context<never>) => void, end: (context: Context.Context<never>) => void) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let begun: Context.Context<never> | undefined
      return Effect.onExitPrimitive(
        Effect.contextWith((context: Context.Context<never>) => {
          begin(context)
          begun = context
          return effect
        }),
        () => {
          if (begun !== undefined) end(begun)
          return undefined
        }
      )
    })
