import { createServer } from "node:http"
import { Clock, Effect, Layer } from "effect"
import * as DownstreamsLive from "../src/actors/downstreams/DownstreamsLive.ts"
import { FairShares } from "../src/actors/scheduling/FairShares.ts"
import { UsageRecorder } from "../src/actors/usage/UsageRecorder.ts"
import * as DownstreamHttp from "../src/layers/net/DownstreamHttp.ts"
import { EngineConfig } from "../src/services/config/EngineConfig.ts"
import { DownstreamHttp as Http } from "../src/services/downstreams/DownstreamHttp.ts"
import { Downstreams } from "../src/services/downstreams/Downstreams.ts"
import { DownstreamsConfig } from "../src/services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams, type DownstreamsWritten } from "../src/services/downstreams/DownstreamSettings.ts"
import { UsageStore } from "../src/services/downstreams/UsageStore.ts"
import { usageMemory } from "../src/services/downstreams/UsageStoreMemory.ts"
import { Events } from "../src/services/Events.ts"
import { TenantRegistry } from "../src/services/TenantRegistry.ts"
import { tenantOf } from "./load.ts"
import type { Report } from "./material.ts"

const capacity = 4
const calls = 400
const callMillis = 60

/** Refuses beyond its capacity at once; answers others after a while. */
const farSide = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly counts: { refused: number }; readonly close: () => void }>(
    (resume) => {
      const counts = { refused: 0 }
      let inUse = 0
      const server = createServer((request, response) => {
        request.resume()
        if (inUse >= capacity) {
          counts.refused++
          response.writeHead(429).end()
          return
        }
        inUse++
        setTimeout(() => {
          inUse--
          response.end("read")
        }, callMillis)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ port, counts, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const layerOf = (written: DownstreamsWritten) =>
  Layer.mergeAll(DownstreamsLive.layer, DownstreamHttp.layer).pipe(
    Layer.provide(UsageRecorder.layer),
    Layer.provide([
      FairShares.layer,
      Events.layer(),
      TenantRegistry.layer().pipe(Layer.provide(EngineConfig.layer())),
      Layer.sync(UsageStore, usageMemory),
      Layer.effect(DownstreamsConfig, Effect.orDie(decodeDownstreams(written)))
    ]),
    Layer.fresh
  )

const elapsed = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    yield* work
    return (yield* Clock.currentTimeMillis) - began
  })

/** Sends the calls of ten tenants over real connections; the time as a ratio to that of a bare loop, and the refusals per cent. */
const round = (concurrency: number | { readonly initial: number; readonly min: number; readonly max: number }) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { counts, port } = yield* farSide
      return yield* Effect.gen(function* () {
        const downstreams = yield* Downstreams
        const http = yield* Http
        const tenants = Array.from({ length: calls }, (_, index) => tenantOf(`tenant-${index % 10}`))
        const send = http.send("ocr", { path: "/read", body: "a page" })
        const all = (one: typeof send, concurrency: number) =>
          Effect.forEach(tenants, () => one, { concurrency, discard: true })
        // Ideal on this machine at this moment: four loops, which know what the far side takes.
        const bare = yield* elapsed(all(send, capacity))
        const millis = yield* elapsed(
          Effect.forEach(tenants, (tenant) => downstreams.call("ocr", { tenant })(send), {
            concurrency: "unbounded",
            discard: true
          })
        )
        return { ratio: millis / bare, refused: (100 * counts.refused) / calls }
      }).pipe(
        Effect.provide(
          layerOf({
            ocr: { url: `http://127.0.0.1:${port}`, concurrency, retry: { times: 100, within: "10m" }, breaker: false }
          })
        )
      )
    })
  )

/**
 * 400 calls of 60 ms to a server on the loopback that refuses beyond 4 at once: the time they take over that of four bare loops, and how many
 * are refused, for limits that follow refusals from several beginnings, and for a fixed limit that is too high.
 */
export const downstream = Effect.fnUntraced(function* (rounds: number) {
  // The first round pays for compiling.
  yield* round(capacity)
  const measured = yield* Effect.forEach(
    [
      ...[1, 4, 16, 64].map((initial) => ({
        name: `from ${initial}`,
        concurrency: { initial, min: 1, max: 64 }
      })),
      { name: "fixed at 8", concurrency: 8 }
    ],
    ({ concurrency, name }) =>
      Effect.map(
        Effect.forEach(Array.from({ length: rounds }), () => round(concurrency)),
        (found): Report => [
          { name: `downstream, ${name}: time`, unit: "× bare", figures: found.map(({ ratio }) => ratio) },
          { name: `downstream, ${name}: refused`, unit: "%", figures: found.map(({ refused }) => refused) }
        ]
      )
  )
  return measured.flat()
})
