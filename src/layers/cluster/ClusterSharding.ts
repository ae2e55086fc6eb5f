/**
 * Which runner has which tenants: Effect Cluster over Postgres. Runners are rows with a heartbeat; a shard belongs to the runner that holds
 * its advisory lock. Messages are volatile: the work is in the store.
 *
 * Everything of `effect/cluster`, which is unstable, is used in this folder and nowhere else.
 */
import { Context, Duration, Effect, Exit, Layer, Option, Scope } from "effect"
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
import { HandOver } from "../../actors/upkeep/HandOver.ts"
import { ClusterUnusable, type ClusterSettings } from "../config/ClusterConfig.ts"
import { ClusterDatabase } from "./ClusterDatabase.ts"
import { watchSilentRunners } from "./SilentRunners.ts"
import * as PeerSockets from "./PeerSockets.ts"
import { PoolRpcs } from "./turns/PoolRpcs.ts"
import * as PoolServer from "./turns/PoolServer.ts"

/** Measured with three runners: a killed one is replaced after 3.4 to 4.7 s, a frozen one after 10 s. */
const intervals = {
  shardLockRefreshInterval: Duration.seconds(3),
  shardLockExpiration: Duration.seconds(10),
  refreshAssignmentsInterval: Duration.millis(500),
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

/** The cluster as a process without tenants sees it, once this runner has handed its own over; undefined before that. */
export const Outside = Context.Reference<() => Sharding.Sharding["Service"] | undefined>(
  "sluice/layers/cluster/Outside",
  { defaultValue: () => () => undefined }
)

const layerOutside = (settings: ClusterSettings) =>
  Sharding.layer.pipe(
    Layer.provide([RunnerHealth.layerNoop, ShardingConfig.layer({ ...config(settings), runnerAddress: Option.none() })])
  )

/**
 * The shards of this runner. They are handed over when their scope closes, which is before the runner has ended: meanwhile it
 * answers others, and is a client of the cluster.
 */
const layerShards = (settings: ClusterSettings) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const own = yield* Scope.fork(scope)
      const storage = yield* RunnerStorage
      let isReleased = false
      const context = yield* Layer.buildWithScope(Sharding.layer, own).pipe(
        Effect.provideService(RunnerStorage, {
          ...storage,
          release: (address, shard) => (isReleased ? Effect.void : storage.release(address, shard))
        })
      )
      const services = yield* Effect.context<Layer.Services<ReturnType<typeof layerOutside>>>()
      let outside: Sharding.Sharding["Service"] | undefined
      const handOver = Effect.gen(function* () {
        const built = yield* Layer.buildWithScope(Layer.fresh(layerOutside(settings)), scope)
        outside = Context.get(built, Sharding.Sharding)
        // All at once, before others learn that this runner leaves: one that asks for a lock in vain asks again after a second.
        // Nothing is claimed here any more, and who takes a tenant over takes its running documents, too.
        isReleased = yield* Effect.isSuccess(
          storage.releaseAll(RunnerAddress.make(settings.address.host, settings.address.port))
        )
        yield* Scope.close(own, Exit.void)
      }).pipe(Effect.provideContext(services))
      return context.pipe(
        Context.add(Outside, () => outside),
        Context.add(HandOver, handOver)
      )
    })
  )

/** One runner of the cluster. */
export const layer = (settings: ClusterSettings) =>
  Layer.merge(layerCalls, Layer.effectDiscard(watchSilentRunners)).pipe(
    Layer.provideMerge(layerShards(settings)),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(PeerSockets.layerServer(settings)),
    Layer.provide(RunnerHealth.layerPing),
    Layer.provideMerge(Runners.layerRpc),
    Layer.provideMerge(PeerSockets.layerClient(settings)),
    Layer.provide([MessageStorage.layerNoop, layerRunners]),
    Layer.provide(ShardingConfig.layer(config(settings))),
    Layer.provide(RpcSerialization.layerSchemaBinary())
  )
