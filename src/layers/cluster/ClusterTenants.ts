import { Effect, Layer } from "effect"
import { Sharding } from "effect/cluster/Sharding"
import { TenantDirectory } from "../../actors/tenant/TenantDirectory.ts"
import { backgroundLoop } from "../../actors/upkeep/BackgroundLoop.ts"
import { untraced } from "../../observability/Untraced.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Outside } from "./ClusterSharding.ts"
import { makeDeliveries } from "./Deliveries.ts"
import { makeShardWatch } from "./ShardWatch.ts"
import { Tenant } from "./Tenant.ts"
import { makeTenantEntity, maxIdleTime, Residents } from "./TenantEntity.ts"

const deliveries = Effect.gen(function* () {
  const outside = yield* Outside
  const ownClient = yield* Tenant.client
  return yield* makeDeliveries((tenant, news) => {
    const sharding = outside()
    const client =
      sharding === undefined ? Effect.succeed(ownClient) : Effect.provideService(Tenant.client, Sharding, sharding)
    return Effect.flatMap(client, (clientOf) => clientOf(tenant).Tell(news, { discard: true }))
  })
})

/** The directory of a process that has tenants itself. */
const make = Effect.fnUntraced(function* (shards: number) {
  const sharding = yield* Sharding
  const { mailboxCapacity } = yield* EngineConfig
  const queue = yield* DocumentQueue
  const residents = new Residents()
  const { tell } = yield* deliveries
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
  Effect.map(deliveries, ({ tell }) =>
    TenantDirectory.of({ tell, active: Effect.succeed(0), waiting: Effect.succeed(0) })
  )
)

export const layer = (shards: number) => Layer.effect(TenantDirectory, make(shards))
