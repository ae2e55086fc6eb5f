import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import * as TestRunner from "effect/cluster/TestRunner"
import { TestClock } from "effect/testing"
import * as Engine from "../../../src/actors/Engine.ts"
import { RunnerId } from "../../../src/domain/Ids.ts"
import * as ClusterSingletons from "../../../src/layers/cluster/ClusterSingletons.ts"
import * as ClusterTenants from "../../../src/layers/cluster/ClusterTenants.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, letPass, makeWorld, startEngine, tenant, until, words } from "../../support/engine.ts"

/** Messages are encoded, as those between processes are. */
const engine = Layer.suspend(() =>
  Engine.layerOver(ClusterTenants.layer(300)).pipe(
    Layer.provide(ClusterSingletons.layer),
    Layer.provide(Layer.fresh(TestRunner.layer))
  )
)
const scripts = { short: soundDocument(3, "10 millis"), long: soundDocument(1_000, "100 millis") }

describe("a tenant as an entity of the cluster", () => {
  it.effect("runs what is submitted, ends when it is idle, and runs what comes later", () =>
    Effect.gen(function* () {
      const world = yield* startEngine({ engine, scripts })
      const first = yield* world.submit("short")
      assert.strictEqual((yield* world.awaitEnd(first.id)).status, "completed")
      assert.strictEqual(yield* world.directory.active, 1)
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(yield* world.directory.active, 1)
      yield* until(
        Effect.map(world.directory.active, (active) => active === 0),
        "10 seconds"
      )
      const second = yield* world.submit("short")
      assert.strictEqual((yield* world.awaitEnd(second.id)).status, "completed")
    })
  )

  it.effect("stays while its documents run, however long no message comes", () =>
    Effect.gen(function* () {
      const world = yield* startEngine({ engine, scripts, limits: { documentTimeout: Duration.hours(2) }, capacity: 1 })
      const { id } = yield* world.submit("long")
      yield* until(
        Effect.map(world.ingestion.status(acme, id), ({ progress }) => progress.done === 1_000),
        "1 second"
      )
      const ended = yield* world.awaitEnd(id)
      assert.deepStrictEqual([ended.status, ended.attempt], ["completed", 1])
    })
  )

  it.effect("stops a document that is cancelled, and gives its place to the next", () =>
    Effect.gen(function* () {
      const world = yield* startEngine({ engine, scripts, limits: { tenantDocuments: 1 } })
      const long = yield* world.submit("long")
      const next = yield* world.submit("short")
      yield* until(Effect.map(world.ingestion.status(acme, long.id), ({ status }) => status === "running"))
      yield* world.ingestion.cancel(acme, long.id)
      assert.strictEqual((yield* world.awaitEnd(next.id)).status, "completed")
      assert.strictEqual((yield* world.ingestion.status(acme, long.id)).status, "cancelled")
    })
  )

  it.effect(
    "takes over at once what a dead runner left, though its lease has an hour left, and wakes without a message",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ engine, scripts })
        const before = yield* world.start
        const globex = tenant("globex")
        yield* before.ingestion.pause(acme)
        yield* before.ingestion.pause(globex)
        const { id } = yield* words(before.ingestion).submit("short")
        const other = yield* words(before.ingestion).submit("short", globex)
        yield* letPass(yield* Effect.forkChild(before.stop))
        yield* world.store.setPaused(acme, false)
        yield* world.store.setPaused(globex, false)
        const claim = yield* world.store.claim(acme, { runner: RunnerId.make("dead"), lease: Duration.hours(1) })
        assert.isTrue(Option.isSome(claim))
        const { ingestion } = yield* world.start
        yield* until(Effect.map(world.store.stats(), ({ processed }) => processed === 2))
        assert.strictEqual((yield* ingestion.status(acme, id)).attempt, 2)
        assert.strictEqual((yield* ingestion.status(globex, other.id)).attempt, 1)
      })
  )
})
