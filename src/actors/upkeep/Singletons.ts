import { Context, Effect, type Scope } from "effect"

interface SingletonsShape {
  /** Runs the start of a loop, which ends with the scope. The name tells the loop from the others. */
  readonly run: <E, R>(name: string, start: Effect.Effect<void, E, R>) => Effect.Effect<void, E, R | Scope.Scope>
}

/**
 * Where loops run that belong to the engine as a whole, and not to one of its processes. With one process: here, in the scope
 * of the caller. In a cluster: in one of the runners, and in another one when that runner ends.
 */
export const Singletons = Context.Reference<SingletonsShape>("sluice/actors/upkeep/Singletons", {
  defaultValue: () => ({ run: (_, start) => start })
})

/** To be run in the layer of the loop. */
export const singleton =
  (name: string) =>
  <E, R>(start: Effect.Effect<void, E, R>): Effect.Effect<void, E, R | Scope.Scope> =>
    Effect.flatMap(Singletons, ({ run }) => run(name, start))
