import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { StorageFull, StorageHealth } from "../../../src/services/StorageHealth.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, bytesOf, startEngine, tenant } from "../../support/engine.ts"
import { ahead } from "../../support/clock.ts"

const scripts = { short: soundDocument(1, "10 millis"), long: soundDocument(4, "10 millis") }
const globex = tenant("globex")
const size = bytesOf("short").length

describe("The bytes that a tenant may have stored", () => {
  it.effect("refuse a document before its bytes are read, or by its size, and take it once there is room", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const first = yield* engine.submit("short")
      yield* TestClock.adjust("1 second")
      const { storedBytes } = yield* engine.ingestion.tenant(acme)
      assert.isAbove(storedBytes, size)
      yield* engine.ingestion.setLimits(acme, { maxStoredBytes: storedBytes })
      const untouched = Stream.die("nobody asks for it")
      const refused = yield* Effect.flip(engine.ingestion.submit(acme, untouched, { name: "b.pdf" }))
      assert.deepInclude(refused, { _tag: "QuotaReached", limit: storedBytes, storedBytes })
      yield* engine.ingestion.setLimits(acme, { maxStoredBytes: storedBytes + size - 1 })
      assert.strictEqual((yield* Effect.flip(engine.submit("short")))._tag, "QuotaReached")
      yield* engine.submit("short", globex)
      yield* engine.ingestion.setLimits(acme, { maxStoredBytes: storedBytes + size })
      yield* engine.submit("short")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(engine.submit("short")))._tag, "QuotaReached")
      yield* engine.ingestion.remove(acme, first.id)
      yield* engine.submit("short")
    })
  )

  it.effect("hold for what a document's URL brings, too", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        tenants: { [acme]: { maxStoredBytes: size - 1 } },
        sources: {
          resolve: (url) => Effect.succeed({ _tag: "Url" as const, url, name: "fetched.pdf" }),
          fetch: () => Stream.make(bytesOf("short"))
        }
      })
      const { id } = yield* engine.ingestion.submitSource(acme, "https://example.org/fetched.pdf", {})
      yield* TestClock.adjust("1 minute")
      const { failure, status } = yield* engine.ingestion.status(acme, id)
      assert.strictEqual(status, "failed")
      assert.strictEqual(failure?.code, "STORAGE_QUOTA")
      assert.strictEqual((yield* engine.ingestion.tenant(acme)).storedBytes, 0)
    })
  )

  it.effect("are what an earlier engine left, and become free with the retention", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { retention: undefined } })
      yield* engine.submit("long")
      yield* TestClock.adjust("1 second")
      const stored = (yield* engine.ingestion.tenant(acme)).storedBytes
      assert.isAbove(stored, bytesOf("long").length)
      const removed = yield* ahead(1, engine.store.removeEnded(Duration.zero, 9))
      assert.lengthOf(removed, 1)
      assert.strictEqual((yield* engine.ingestion.tenant(acme)).storedBytes, 0)
    })
  )
})

describe("A disk with little room", () => {
  it.effect("refuses submissions before and while they are read, and none when there is room again", () => {
    let room = true
    const full = new StorageFull({ freeBytes: 10, reserveBytes: 100 })
    const health = Layer.succeed(StorageHealth, {
      obstacles: Effect.succeed([]),
      checkRoom: () => Effect.suspend(() => (room ? Effect.void : Effect.fail(full)))
    })
    return Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const filling = Stream.make(bytesOf("short")).pipe(
        Stream.tap(() =>
          Effect.sync(() => {
            room = false
          })
        )
      )
      const refused = yield* Effect.flip(engine.ingestion.submit(acme, filling, { name: "a.pdf" }))
      assert.strictEqual(refused, full)
      const untouched = Stream.die("nobody asks for it")
      assert.strictEqual(yield* Effect.flip(engine.ingestion.submit(acme, untouched, { name: "b.pdf" })), full)
      assert.deepStrictEqual(yield* Stream.runCollect(engine.blobs.list), [])
      room = true
      yield* engine.submit("short")
    }).pipe(Effect.provide(health))
  })
})
