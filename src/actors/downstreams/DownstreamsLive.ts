import { Effect, Layer, Option, Schema } from "effect"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import { DownstreamName } from "../../domain/downstream/Downstream.ts"
import { DownstreamFailure, Downstreams, UnknownDownstream } from "../../services/downstreams/Downstreams.ts"
import { DownstreamsConfig } from "../../services/downstreams/DownstreamsConfig.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { UsageRecorder } from "../usage/UsageRecorder.ts"
import { watched } from "../../services/downstreams/CallWatch.ts"
import { makeDownstream } from "./Downstream.ts"

const decodeName = Schema.decodeUnknownOption(DownstreamName)

/** The downstreams that `DownstreamsConfig` declares. */
export const layer = Layer.effect(
  Downstreams,
  Effect.gen(function* () {
    const dependencies = {
      rates: yield* RateLimiter.RateLimiter,
      usage: yield* UsageRecorder,
      registry: yield* TenantRegistry
    }
    type Made = Effect.Success<ReturnType<typeof makeDownstream>>
    const byName = new Map<string, Made>()
    for (const [text, settings] of Object.entries(yield* DownstreamsConfig)) {
      const name = Option.getOrUndefined(decodeName(text))
      if (name !== undefined) byName.set(name, yield* makeDownstream(name, settings, dependencies))
    }
    const names = [...byName.keys()].toSorted()

    const find = (name: string) =>
      Effect.suspend(() => {
        const found = byName.get(name)
        return found === undefined ? Effect.fail(new UnknownDownstream({ name })) : Effect.succeed(found)
      })

    return Downstreams.of({
      names,
      call: (name, options) => (effect) => {
        const found = byName.get(name)
        if (found !== undefined) return watched(name, effect, (exchange) => found.call(options, exchange))
        return Effect.fail(
          new DownstreamFailure({
            code: "DOWNSTREAM_UNKNOWN",
            downstream: name,
            detail: "it is not declared",
            onExhausted: "fail"
          })
        )
      },
      states: Effect.suspend(() => Effect.all(names.flatMap((name) => byName.get(name)?.state ?? []))),
      state: Effect.fn("Downstreams.state")((name) => Effect.flatMap(find(name), ({ state }) => state)),
      change: Effect.fn("Downstreams.change")((name, change) =>
        Effect.flatMap(find(name), (found) => found.change(change))
      )
    })
  })
).pipe(
  Layer.provide([
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
    Layer.fresh(CircuitBreaker.layerStoreMemory())
  ])
)
