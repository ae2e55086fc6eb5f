/**
 * The engine as one of several processes over one database. Loaded only with `CLUSTER=on`.
 *
 * Release goes from the top: the engine is drained, its loops go to other runners, the tenants' actors are stopped and their shards
 * handed over, and at last the port is closed.
 */
import { Duration, Layer } from "effect"
import { ChangePolling } from "../../actors/changes/ChangeBroadcaster.ts"
import * as Engine from "../../actors/Engine.ts"
import * as Outbox from "../../actors/webhooks/Outbox.ts"
import type { ClusterSettings } from "../config/ClusterConfig.ts"
import * as ClusterDatabase from "./ClusterDatabase.ts"
import * as ClusterRegister from "./ClusterRegister.ts"
import * as ClusterSharding from "./ClusterSharding.ts"
import * as ClusterSingletons from "./ClusterSingletons.ts"
import * as ClusterTenants from "./ClusterTenants.ts"
import * as Membership from "./Membership.ts"
import { OwnPool } from "./turns/OwnPool.ts"
import * as SharedScheduling from "./turns/SharedScheduling.ts"

/** No event comes from other runners, so their changes are asked for: a query each time, while there are watchers. */
const changesOfOthers = Layer.succeed(ChangePolling, Duration.millis(250))

/** A process that only serves the interface has no tenants and no loops, reads no pages, and opens no port to other runners. */
export const layer = <E = never, R = never>(
  settings: ClusterSettings,
  pipelines: Layer.Layer<never, E, R> = Layer.empty
) => {
  const isApi = settings.role === "api"
  const tenants = isApi ? ClusterTenants.layerAway : ClusterTenants.layer(settings.shards)
  const scheduling = isApi ? SharedScheduling.layerAlone : SharedScheduling.layer
  const sharding = isApi ? ClusterSharding.layerClient(settings) : ClusterSharding.layer(settings)
  return Layer.merge(Engine.layerScheduledOver(tenants, scheduling, pipelines), Outbox.layerFromEnv).pipe(
    Layer.provide([changesOfOthers, ClusterSingletons.layer, ClusterRegister.layer(settings)]),
    Layer.provide(sharding),
    Layer.provide(OwnPool.layer(settings.address)),
    // Before this process asks for tenants.
    Layer.provide(Membership.layer(settings)),
    Layer.provide(ClusterDatabase.layer(settings.url))
  )
}
