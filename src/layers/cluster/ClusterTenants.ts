import { Effect, FiberSet, Layer } from "effect"
import { Sharding } from "effect/cluster/Sharding"
import { TenantDirectory } from "../../actors/tenant/TenantDirectory.ts"
import { backgroundLoop } from "../../actors/upkeep/BackgroundLoop.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { untraced } from "../../observability/Untraced.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Outgoing } from "./Outgoing.ts"
import { makeShardWatch } from "./ShardWatch.ts"
import { type News, Tenant } from "./Tenant.ts"
import { makeTenantEntity, maxIdleTime, Residents } from "./TenantEntity.ts"

/** A message to a runner that is gone waits, so each is given up after this time, and sent once more, to where the tenant is then. */
const patience = ["1 second", "2 seconds"] as const

const makeDeliveries = Effect.gen(function* () {
  const clientOf = yield* Tenant.client
  const outgoing = new Outgoing()
  const send = (tenant: TenantId, news: News, within: (typeof patience)[number]) =>
    Effect.timeout(clientOf(tenant).Tell(news, { discard: true }), within)

  const deliver = Effect.fnUntraced(function* (tenant: TenantId) {
    for (let news = outgoing.next(tenant); news !== undefined; news = outgoing.next(tenant)) {
      const message = news
      yield* send(tenant, message, patience[0]).pipe(
        Effect.catch(() => send(tenant, message, patience[1])),
        // Its work is in the store: the runner that gets the tenant's shard looks there.
        Effect.catch((error) => Effect.logDebug("a message to a tenant's actor was lost", error)),
        Effect.annotateLogs({ "tenant.id": tenant })
      )
    }
  })
  const fork = yield* FiberSet.makeRuntime<Effect.Services<ReturnType<typeof deliver>>>()
  const tell: TenantDirectory["Service"]["tell"] = (tenant, message) =>
    Effect.sync(() => {
      if (outgoing.add(tenant, message)) fork(deliver(tenant))
    })
  return { tell }
})

/** The directory of a process that has tenants itself. */
const make = Effect.fnUntraced(function* (shards: number) {
  const sharding = yield* Sharding
  const { mailboxCapacity } = yield* EngineConfig
  const queue = yield* DocumentQueue
  const residents = new Residents()
  const { tell } = yield* makeDeliveries
  yield* sharding.registerEntity(Tenant, makeTenantEntity(residents), {
    disableFatalDefects: true,
    mailboxCapacity,
    maxIdleTime
  })
  const watch = makeShardWatch({ queue, residents, sharding, shards, tell })
  yield* backgroundLoop({
    name: "the search for tenants of new shards",
    pass: untraced(watch),
    rest: Effect.sleep("250 millis")
  })
  return TenantDirectory.of({
    tell,
    active: Effect.sync(() => residents.size),
    waiting: Effect.sync(() => residents.waiting)
  })
})

/** The directory of a process without tenants. */
export const layerAway = Layer.effect(
  TenantDirectory,
  Effect.map(makeDeliveries, ({ tell }) =>
    TenantDirectory.of({ tell, active: Effect.succeed(0), waiting: Effect.succeed(0) })
  )
)

export const layer = (shards: number) => Layer.effect(TenantDirectory, make(shards))
