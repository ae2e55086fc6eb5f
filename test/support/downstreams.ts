// Downstreams over fakes: production actors, usage in memory, and a far side that follows a script. Time is the test's.
import { Clock, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as DownstreamsLive from "../../src/actors/downstreams/DownstreamsLive.ts"
import { FairShares } from "../../src/actors/scheduling/FairShares.ts"
import { UsageRecorder } from "../../src/actors/usage/UsageRecorder.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import {
  Downstreams,
  FarSideRefused,
  reportUsed,
  type CallOptions
} from "../../src/services/downstreams/Downstreams.ts"
import { DownstreamsConfig } from "../../src/services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams, type DownstreamsWritten } from "../../src/services/downstreams/DownstreamSettings.ts"
import { UsageStore } from "../../src/services/downstreams/UsageStore.ts"
import { usageMemory } from "../../src/services/downstreams/UsageStoreMemory.ts"
import { Events } from "../../src/services/Events.ts"
import { type TenantOverrides, TenantRegistry } from "../../src/services/TenantRegistry.ts"

export const tenant = (name: string) => TenantId.make(name)
export const acme = tenant("acme")

/** `usage` is what outlives the process. */
export const downstreamsLayer = (
  written: DownstreamsWritten,
  { tenants, usage }: { readonly tenants?: TenantOverrides; readonly usage?: UsageStore["Service"] } = {}
) =>
  DownstreamsLive.layer.pipe(
    Layer.provideMerge(UsageRecorder.layer),
    Layer.provideMerge(FairShares.layer),
    Layer.provide([
      Events.layer(),
      TenantRegistry.layer(tenants).pipe(Layer.provide(EngineConfig.layer())),
      Layer.effect(DownstreamsConfig, Effect.orDie(decodeDownstreams(written)))
    ]),
    // One of its own for each use of the layer, unless it is given.
    Layer.provideMerge(Layer.sync(UsageStore, () => usage ?? usageMemory())),
    Layer.fresh
  )

/** A far side that refuses beyond `capacity` calls at once. */
export class FarSide {
  capacity: number
  retryAfterMillis: number | undefined
  inUse = 0
  most = 0
  answered = 0
  refused = 0
  readonly millisOf = new Map<string, number>()

  constructor(capacity: number, retryAfterMillis?: number) {
    this.capacity = capacity
    this.retryAfterMillis = retryAfterMillis
  }

  /** One exchange that reports what it used. */
  askTokens(tokens: number) {
    return Effect.tap(this.ask("all", 10), () => reportUsed({ tokens }))
  }

  askCost(cost: number) {
    return Effect.tap(this.ask("all", 10), () => reportUsed({ cost }))
  }

  /** One exchange, which takes this long if it is taken. */
  ask(owner: string, millis: number) {
    return Effect.suspend(() => {
      if (this.inUse >= this.capacity) {
        this.refused++
        return Effect.fail(
          new FarSideRefused({
            status: 429,
            ...(this.retryAfterMillis === undefined ? {} : { retryAfterMillis: this.retryAfterMillis })
          })
        )
      }
      this.inUse++
      this.most = Math.max(this.most, this.inUse)
      return Effect.sleep(millis).pipe(
        Effect.tap(() => {
          this.answered++
          this.millisOf.set(owner, (this.millisOf.get(owner) ?? 0) + millis)
          return Effect.void
        }),
        Effect.ensuring(Effect.sync(() => void this.inUse--))
      )
    })
  }
}

export const call =
  (name: string, options: CallOptions) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Downstreams.use((downstreams) => downstreams.call(name, options)(effect))

export const stateOf = (name: string) => Downstreams.use((downstreams) => Effect.orDie(downstreams.state(name)))

/** Moves the time in small steps while the effect runs; answers with its result and how long it took. */
export const timed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>, step = 10) {
  const began = yield* Clock.currentTimeMillis
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(step)
  return { exit: fiber.pollUnsafe(), millis: (yield* Clock.currentTimeMillis) - began }
})
