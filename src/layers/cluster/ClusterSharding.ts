/**
 * Which runner has which tenants: Effect Cluster over Postgres. Runners are rows with a heartbeat; a shard belongs to the runner that holds
 * its advisory lock. Messages are volatile: the work is in the store.
 *
 * Everything of `effect/cluster`, which is unstable, is used in this folder and nowhere else.
 */
import { Duration, Effect, Layer, Option } from "effect"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerServer from "effect/cluster/RunnerServer"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import { ClusterUnusable, type ClusterSettings } from "../config/ClusterConfig.ts"
import { ClusterDatabase } from "./ClusterDatabase.ts"
import { watchSilentRunners } from "./SilentRunners.ts"
import * as PeerSockets from "./PeerSockets.ts"
import { PoolRpcs } from "./turns/PoolRpcs.ts"
import * as PoolServer from "./turns/PoolServer.ts"

/** Measured with three runners: a killed one is replaced after 3.4 to 4.7 s, a frozen one after 10 s, a stopped one after 0.6 s. */
const intervals = {
  shardLockRefreshInterval: Duration.seconds(3),
  shardLockExpiration: Duration.seconds(10),
  refreshAssignmentsInterval: Duration.seconds(1),
  runnerHealthCheckInterval: Duration.seconds(2),
  runnerJoinDebounce: Duration.seconds(2),
  entityTerminationTimeout: Duration.seconds(10),
  sendRetryInterval: Duration.millis(50)
}

const config = ({
  address,
  listenHost,
  shards
}: ClusterSettings): Partial<ShardingConfig.ShardingConfig["Service"]> => ({
  ...intervals,
  runnerAddress: Option.some(RunnerAddress.make(address.host, address.port)),
  runnerListenAddress: Option.some(RunnerAddress.make(listenHost, address.port)),
  shardsPerGroup: shards,
  maxResidentEntities: 100_000,
  // Messages to an actor of this process are not encoded.
  simulateRemoteSerialization: false
})

const layerRunners = Layer.effect(
  RunnerStorage,
  Effect.gen(function* () {
    const { prefix } = yield* ClusterDatabase
    return yield* Effect.mapError(
      SqlRunnerStorage.make({ prefix }),
      ({ message }) => new ClusterUnusable({ detail: `its tables cannot be made (${message})` })
    )
  })
)

/** What other runners call over the one port: actors, and the page workers of this process. */
const layerCalls = RpcServer.layer(Runners.Rpcs.merge(PoolRpcs), {
  disableTracing: true,
  disableFatalDefects: true
}).pipe(Layer.provide([RunnerServer.layerHandlers, PoolServer.layer]))

/** A process that finds tenants in the runners, and has none itself. */
export const layerClient = (settings: ClusterSettings) =>
  RunnerServer.layerClientOnly.pipe(
    Layer.provideMerge(PeerSockets.layerClient(settings)),
    Layer.provide([MessageStorage.layerNoop, layerRunners]),
    Layer.provide(ShardingConfig.layer({ ...config(settings), runnerAddress: Option.none() })),
    Layer.provide(RpcSerialization.layerSchemaBinary())
  )

/** One runner of the cluster. */
export const layer = (settings: ClusterSettings) =>
  Layer.merge(layerCalls, Layer.effectDiscard(watchSilentRunners)).pipe(
    Layer.provideMerge(Sharding.layer),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(PeerSockets.layerServer(settings)),
    Layer.provide(RunnerHealth.layerPing),
    Layer.provideMerge(Runners.layerRpc),
    Layer.provideMerge(PeerSockets.layerClient(settings)),
    Layer.provide([MessageStorage.layerNoop, layerRunners]),
    Layer.provide(ShardingConfig.layer(config(settings))),
    Layer.provide(RpcSerialization.layerSchemaBinary())
  )
