import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Queue, Redacted, Scope, Stream } from "effect"
import { SocketServer } from "effect/socket/SocketServer"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import { BlobHash } from "../../../../src/domain/Ids.ts"
import { failure } from "../../../../src/domain/Failure.ts"
import type { PageResult } from "../../../../src/domain/document/Page.ts"
import type { ClusterSettings } from "../../../../src/layers/config/ClusterConfig.ts"
import * as PeerSockets from "../../../../src/layers/cluster/PeerSockets.ts"
import { addressOf, OwnPool } from "../../../../src/layers/cluster/turns/OwnPool.ts"
import * as PoolClients from "../../../../src/layers/cluster/turns/PoolClients.ts"
import { PoolRpcs } from "../../../../src/layers/cluster/turns/PoolRpcs.ts"
import * as PoolServer from "../../../../src/layers/cluster/turns/PoolServer.ts"
import { BlobLost, BlobStore } from "../../../../src/services/BlobStore.ts"
import { PdfEngine, PdfEngineError, type PdfRef, WorkerDied } from "../../../../src/services/PdfEngine.ts"
import { PoolName, Pools, type RemotePdf } from "../../../../src/services/pools/Pools.ts"

const hash = BlobHash.make("a".repeat(64))
const pdf: RemotePdf = { key: "document", hash, password: Redacted.make("open sesame") }

const page = (number: number): PageResult => ({
  number,
  status: "ok",
  width: 595.28,
  height: 841.89,
  rotation: 0,
  text: `page ${number}`,
  lines: "[]",
  layout: new Uint8Array([1, 2, number]),
  error: undefined,
  elapsedMillis: 3.5
})
const broken: PageResult = { ...page(2), status: "failed", error: failure("PAGE_UNREADABLE", "it is damaged") }

const settings = (port: number): ClusterSettings => ({
  url: Redacted.make("unused"),
  address: { host: "127.0.0.1", port },
  listenHost: "127.0.0.1",
  token: Redacted.make("0123456789abcdef0123456789abcdef"),
  shards: 8,
  role: "all"
})

const opened = {
  pageCount: 2,
  metadata: { encrypted: true, hasJavaScript: false, hasAttachments: false, hasForms: false, hasXfa: false },
  outline: [{ title: "One", depth: 0, page: 1 }]
}

/** A runner with a port that reads for others, and another that asks it. */
const makeRunners = (read: PdfEngine["Service"]["read"], locate?: BlobStore["Service"]["locate"]) =>
  Effect.gen(function* () {
    const asked = yield* Queue.unbounded<PdfRef>()
    const closed = yield* Deferred.make<string>()
    const scope = yield* Effect.scope
    const server = yield* Scope.fork(scope)
    const engine = Layer.mock(PdfEngine)({
      capacity: 1,
      ready: () => 1,
      open: (ref) => Effect.as(Queue.offer(asked, ref), { ...opened, head: [page(1), broken] }),
      read,
      close: (key) => Effect.asVoid(Deferred.succeed(closed, key))
    })
    const blobs = Layer.mock(BlobStore)({
      locate: locate ?? ((hash) => Effect.succeed({ _tag: "File" as const, path: "/blobs/a", hash }))
    })
    const listening = PeerSockets.layerServer(settings(0))
    const portOf = ({ address }: SocketServer["Service"]) => ("port" in address ? address.port : 0)
    const own = Layer.effect(
      OwnPool,
      Effect.map(SocketServer, (socket) => PoolName.make(`127.0.0.1:${portOf(socket)}/now`))
    )
    const built = yield* RpcServer.layer(PoolRpcs, { disableFatalDefects: true }).pipe(
      Layer.provide(PoolServer.layer),
      Layer.provide([engine, blobs]),
      Layer.provideMerge(own),
      Layer.provide(RpcServer.layerProtocolSocketServer),
      Layer.provideMerge(listening),
      Layer.provide(RpcSerialization.layerSchemaBinary()),
      Layer.buildWithScope(server)
    )
    const port = portOf(Context.get(built, SocketServer))
    const clients = yield* PoolClients.layer.pipe(
      Layer.provide(PeerSockets.layerClient(settings(port))),
      Layer.provide(RpcSerialization.layerSchemaBinary()),
      Layer.build
    )
    const name = Context.get(built, OwnPool)
    return { asked, closed, name, pools: Context.get(clients, Pools), stop: Scope.close(server, Exit.void) }
  })

const readPages = (pools: Pools["Service"], pool: PoolName) => pools.read(pool, pdf, [1, 2], 2)
const reasonOf = <A>(effect: Effect.Effect<A, PdfEngineError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("reading with the workers of another runner", () => {
  it("finds a runner by the name of its pool", () => {
    for (const [name, host, port] of [
      ["10.0.0.7:34431/01a2", "10.0.0.7", 34_431],
      ["::1:34431/01a2", "::1", 34_431]
    ] as const) {
      const address = addressOf(PoolName.make(name))
      assert.deepStrictEqual([address.host, address.port], [host, port])
    }
  })

  it.live("opens with the bytes of the store and the password, and closes", () =>
    Effect.gen(function* () {
      const { asked, closed, name, pools } = yield* makeRunners(() => Stream.empty)
      const found = yield* pools.open(name, pdf, { pages: 8, concurrency: 2 })
      assert.deepStrictEqual(found, { ...opened, head: [page(1), broken] })
      const { key, location, password } = yield* Queue.take(asked)
      assert.deepStrictEqual(
        [key, location, password && Redacted.value(password)],
        ["document", { _tag: "File", path: "/blobs/a", hash }, "open sesame"]
      )
      yield* pools.open(name, { ...pdf, password: undefined })
      assert.isUndefined((yield* Queue.take(asked)).password)
      yield* pools.close(name, "document")
      assert.strictEqual(yield* Deferred.await(closed), "document")
    })
  )

  it.live("brings pages as they come, then how the reading ended", () =>
    Effect.gen(function* () {
      const died = new PdfEngineError({ reason: new WorkerDied({ memory: true, detail: "it was too large" }) })
      const { name, pools } = yield* makeRunners(() => Stream.concat(Stream.make(page(1), broken), Stream.fail(died)))
      const found: Array<PageResult> = []
      const reason = yield* reasonOf(
        Stream.runForEach(readPages(pools, name), (each) => Effect.sync(() => found.push(each)))
      )
      assert.deepStrictEqual(found, [page(1), broken])
      assert.deepStrictEqual(reason, died.reason)
    })
  )

  it.live("stops the reading when its caller is gone", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const endless = Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)).pipe(
        Stream.ensuring(Deferred.succeed(stopped, undefined))
      )
      const { name, pools } = yield* makeRunners(() => endless)
      const fiber = yield* Effect.forkChild(Stream.runDrain(readPages(pools, name)))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(stopped)
    })
  )

  it.live("tells a runner that is gone, started again, or without the file from a file that is at fault", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const endless = Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
      const first = yield* makeRunners(() => endless)
      const again = PoolName.make(first.name.replace("/now", "/before"))
      assert.strictEqual((yield* reasonOf(first.pools.open(again, pdf)))._tag, "PoolLost")

      const reading = yield* Effect.forkChild(reasonOf(Stream.runDrain(readPages(first.pools, first.name))))
      yield* Deferred.await(begun)
      yield* first.stop
      assert.strictEqual((yield* Fiber.join(reading))._tag, "PoolLost")
      assert.strictEqual((yield* reasonOf(Stream.runDrain(readPages(first.pools, first.name))))._tag, "PoolLost")

      const lost = new BlobLost({ hash, detail: "it is not here" })
      const other = yield* makeRunners(
        () => Stream.empty,
        () => Effect.fail(lost)
      )
      const reason = yield* reasonOf(Stream.runDrain(readPages(other.pools, other.name)))
      assert.strictEqual(reason._tag, "PoolLost")
      assert.include(reason.message, "it is not here")
    })
  )
})
