/**
 * The engine as one of several runners over one database. Loaded only with `CLUSTER=on`.
 *
 * Release goes from the top: the engine is drained, its loops go to other runners, the tenants' actors are stopped and their shards
 * handed over, and at last the port is closed.
 */
import { Layer } from "effect"
import * as Engine from "../../actors/Engine.ts"
import * as Outbox from "../../actors/webhooks/Outbox.ts"
import type { ClusterSettings } from "../config/ClusterConfig.ts"
import * as ClusterDatabase from "./ClusterDatabase.ts"
import * as ClusterSharding from "./ClusterSharding.ts"
import * as ClusterSingletons from "./ClusterSingletons.ts"
import * as ClusterTenants from "./ClusterTenants.ts"

export const layer = (settings: ClusterSettings) =>
  Layer.merge(Engine.layerOver(ClusterTenants.layer(settings.shards)), Outbox.layerFromEnv).pipe(
    Layer.provide(ClusterSingletons.layer),
    Layer.provide(ClusterSharding.layer(settings)),
    Layer.provide(ClusterDatabase.layer(settings.url))
  )
