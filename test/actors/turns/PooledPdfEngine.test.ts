import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { OpenPlaces, Places } from "../../../src/actors/turns/OpenPlaces.ts"
import * as PooledPdfEngine from "../../../src/actors/turns/PooledPdfEngine.ts"
import { Turns } from "../../../src/actors/turns/Turns.ts"
import { BlobHash } from "../../../src/domain/Ids.ts"
import { EngineUnavailable, PdfEngine, PdfEngineError, type PdfRef, PoolLost } from "../../../src/services/PdfEngine.ts"
import { makeScriptedEngine, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { CurrentPool, type Pool, PoolName, Pools } from "../../../src/services/pools/Pools.ts"

const [own, other] = [PoolName.make("own"), PoolName.make("other")]
const hash = BlobHash.make("b".repeat(64))
const pdf: PdfRef = { key: "file", location: { _tag: "File", path: "/blobs/b", hash }, password: undefined }
const pool = (): Pool => ({ name: other, lost: Deferred.makeUnsafe() })

const makeEngine = (pools: Partial<Pools["Service"]>) =>
  Effect.gen(function* () {
    const scripted = makeScriptedEngine(() => soundDocument(5, "10 millis"))
    const built = yield* PooledPdfEngine.layer.pipe(
      Layer.provide([scripted.layer, Layer.mock(Pools)(pools)]),
      Layer.provide(Layer.succeed(Turns, { runner: own, take: () => Effect.never })),
      Layer.provideMerge(OpenPlaces.layer),
      Layer.build
    )
    return { engine: Context.get(built, PdfEngine), places: Context.get(built, OpenPlaces), scripted }
  })

const inPool =
  (given: Pool) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, CurrentPool, given)

describe("reading where the turn was given", () => {
  it.effect("uses the own workers without a call to another runner", () =>
    Effect.gen(function* () {
      const { engine, places, scripted } = yield* makeEngine({})
      const fiber = yield* Effect.forkChild(Stream.runCollect(engine.read(pdf, [1, 2], 1)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        (yield* Fiber.join(fiber)).map(({ number }) => number),
        [1, 2]
      )
      assert.strictEqual(scripted.timesRead("file", 1), 1)
      assert.deepStrictEqual(places.of("file"), [own])
    })
  )

  it.effect("asks the runner of the pool, keeps in mind where a document is open, and closes it there", () =>
    Effect.gen(function* () {
      const closed: Array<string> = []
      const { engine, places, scripted } = yield* makeEngine({
        open: (name, { hash: sent, key }) =>
          Effect.sync(() => {
            assert.deepStrictEqual([name, sent, key], [other, hash, "file"])
            return { pageCount: 3, ...opened, outline: [] }
          }),
        close: (name, key) => Effect.sync(() => closed.push(`${name} ${key}`))
      })
      assert.strictEqual((yield* inPool(pool())(engine.open(pdf))).pageCount, 3)
      assert.deepStrictEqual(places.of("file"), [other])
      yield* engine.close("file")
      assert.deepStrictEqual(closed, ["other file"])
      assert.isTrue(scripted.closed().has("file"))
      assert.deepStrictEqual(places.of("file"), [])
    })
  )

  it.effect("takes a runner that is gone, or has no workers, for lost, and is careful for a while", () =>
    Effect.gen(function* () {
      const reason = new EngineUnavailable({ detail: "none starts" })
      const { engine, places } = yield* makeEngine({
        open: () => Effect.fail(new PdfEngineError({ reason })),
        read: () => Stream.never
      })
      const noWorkers = yield* Effect.flip(inPool(pool())(engine.open(pdf)))
      assert.strictEqual(noWorkers.reason._tag, "PoolLost")
      assert.isFalse(places.mayGoOn("file", 1_000_000, 0))
      assert.isTrue(places.mayGoOn("file", 1_000_000, 6_000))

      const gone = pool()
      const reading = yield* Effect.forkChild(Effect.flip(inPool(gone)(Stream.runDrain(engine.read(pdf, [1], 1)))))
      yield* TestClock.adjust("1 second")
      const lost = new PdfEngineError({ reason: new PoolLost({ pool: other, detail: "silent" }) })
      yield* Deferred.fail(gone.lost, lost)
      assert.deepStrictEqual((yield* Fiber.join(reading)).reason, lost.reason)
    })
  )
})

const opened = {
  metadata: { encrypted: false, hasJavaScript: false, hasAttachments: false, hasForms: false, hasXfa: false }
}

describe("the places of a document", () => {
  it("pay only while each machine has many times what opening costs to read", () => {
    const places = new Places()
    assert.isTrue(places.mayGoOn("a", 0, 0))
    places.opened("a", own)
    // 150 ms to open, until it is known better: two machines have at least 450 ms each.
    assert.isFalse(places.mayGoOn("a", 899, 0))
    assert.isTrue(places.mayGoOn("a", 901, 0))
    places.opened("a", other)
    assert.isFalse(places.mayGoOn("a", 1_349, 0))
    assert.isTrue(places.mayGoOn("a", 1_351, 0))
    for (let times = 0; times < 50; times++) places.measured(1_000)
    assert.isFalse(places.mayGoOn("a", 8_000, 0))
  })

  it("are forgotten beyond a bound, the oldest first", () => {
    const places = new Places()
    for (let each = 0; each < 5_000; each++) places.opened(`document ${each}`, own)
    assert.deepStrictEqual(places.of("document 0"), [])
    assert.deepStrictEqual(places.of("document 4999"), [own])
  })
})
