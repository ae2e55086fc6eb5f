import { Effect, Layer, Schedule } from "effect"
import { Sharding } from "effect/cluster/Sharding"
import { Singletons } from "../../actors/upkeep/Singletons.ts"

/** The loops of the whole run in the runner that has their shard. One whose start failed is started again after a second. */
export const layer = Layer.effect(
  Singletons,
  Effect.map(Sharding, (sharding) => ({
    run: (name, start) =>
      sharding.registerSingleton(
        name,
        Effect.scoped(Effect.andThen(start, Effect.never)).pipe(
          Effect.tapCause((cause) => Effect.logWarning("a loop of the cluster cannot be started", cause)),
          Effect.annotateLogs({ loop: name }),
          Effect.sandbox,
          Effect.retry(Schedule.spaced("1 second"))
        )
      )
  }))
)
