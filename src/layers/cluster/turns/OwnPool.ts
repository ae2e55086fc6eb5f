import { Context, Effect, Layer } from "effect"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import { SecureRandom } from "effect/crypto"
import { PoolName } from "../../../services/pools/Pools.ts"
import type { PeerAddress } from "../../config/ClusterConfig.ts"

/** The name by which other runners know the workers of this process: its address, and an id that a restart changes. */
export class OwnPool extends Context.Service<OwnPool, PoolName>()("sluice/layers/cluster/turns/OwnPool") {
  static readonly layer = ({ host, port }: PeerAddress) =>
    Layer.effect(
      OwnPool,
      Effect.gen(function* () {
        const random = yield* SecureRandom.SecureRandom
        return PoolName.make(`${host}:${port}/${yield* random.uuidV7()}`)
      })
    )
}

/** Where the pool is. Hosts may be IPv6 addresses. */
export const addressOf = (pool: PoolName): RunnerAddress.RunnerAddress => {
  const address = pool.slice(0, pool.lastIndexOf("/"))
  const colon = address.lastIndexOf(":")
  return RunnerAddress.make(address.slice(0, colon), Number(address.slice(colon + 1)))
}
