import { Cause, Effect, Layer, RcMap, Stream } from "effect"
import { RpcClientProtocol } from "effect/cluster/Runners"
import * as RpcClient from "effect/rpc/RpcClient"
import { type HeadRequest, PdfEngineError, PoolLost } from "../../../services/PdfEngine.ts"
import { type PoolName, Pools } from "../../../services/pools/Pools.ts"
import { addressOf } from "./OwnPool.ts"
import { PoolRpcs } from "./PoolRpcs.ts"

const noHead: HeadRequest = { pages: 0, concurrency: 1 }
const closeTimeout = "1 second"

/** Whatever is not the answer of the far workers: they, or the way to them, are gone. A runner that stops interrupts its calls. */
const lost = (pool: PoolName, cause: Cause.Cause<unknown>): Cause.Cause<PdfEngineError> => {
  const error = Cause.squash(cause)
  if (error instanceof PdfEngineError) return Cause.fail(error)
  const detail = error instanceof Error ? error.message : String(error)
  return Cause.fail(new PdfEngineError({ reason: new PoolLost({ pool, detail }) }))
}

/** A connection of its own to each runner whose workers are used, closed when it has not been used for a while. */
export const layer = Layer.effect(
  Pools,
  Effect.gen(function* () {
    const { make } = yield* RpcClientProtocol
    const clients = yield* RcMap.make({
      lookup: (pool: PoolName) =>
        Effect.flatMap(make(addressOf(pool)), (protocol) =>
          Effect.provideService(RpcClient.make(PoolRpcs), RpcClient.Protocol, protocol)
        ),
      idleTimeToLive: "1 minute"
    })
    /** The next call connects anew. */
    const forgetting = (pool: PoolName) => (error: PdfEngineError) =>
      error.reason._tag === "PoolLost" ? RcMap.invalidate(clients, pool) : Effect.void

    return Pools.of({
      open: (pool, pdf, head = noHead) =>
        Effect.scoped(
          Effect.flatMap(RcMap.get(clients, pool), (client) => client.OpenPdf({ ...pdf, pool, head }))
        ).pipe(
          Effect.catchCause((cause) => Effect.failCause(lost(pool, cause))),
          Effect.tapError(forgetting(pool))
        ),
      read: (pool, pdf, pages, concurrency) =>
        Stream.unwrap(
          Effect.map(RcMap.get(clients, pool), (client) => client.ReadPages({ ...pdf, pool, pages, concurrency }))
        ).pipe(
          Stream.catchCause((cause) => Stream.failCause(lost(pool, cause))),
          Stream.tapError(forgetting(pool))
        ),
      close: (pool, key) =>
        Effect.scoped(Effect.flatMap(RcMap.get(clients, pool), (client) => client.ClosePdf({ pool, key }))).pipe(
          Effect.timeout(closeTimeout),
          // Workers forget their oldest documents by themselves.
          Effect.ignoreCause
        )
    })
  })
)
