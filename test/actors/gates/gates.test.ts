import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, startEngine, tenant, until } from "../../support/engine.ts"

const scripts = {
  short: soundDocument(3, "10 millis"),
  long: soundDocument(1, "10 seconds"),
  wide: soundDocument(40, "10 millis")
}

const counted = <A, E>(stream: Stream.Stream<A, E>, count: (step: 1 | -1) => void) =>
  Stream.unwrap(
    Effect.acquireRelease(
      Effect.sync(() => count(1)),
      () => Effect.sync(() => count(-1))
    ).pipe(Effect.as(stream))
  )

describe("the gates", () => {
  it.effect("never open more documents of one tenant than it may have, and all of them finish", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 3, globalDocuments: 8 }, capacity: 8 })
      for (let n = 0; n < 100; n++) yield* engine.submit("short")
      let held = 0
      yield* until(
        Effect.gen(function* () {
          held = Math.max(held, yield* engine.gateInUse("tenant"))
          return (yield* engine.store.stats()).processed === 100
        }),
        "5 millis"
      )
      const stats = yield* engine.store.stats(acme)
      assert.deepStrictEqual([stats.maxRunning, stats.failed, stats.waiting, stats.running], [3, 0, 0, 0])
      assert.strictEqual(held, 3)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([yield* engine.gateInUse("tenant"), yield* engine.gateInUse("global")], [0, 0])
    })
  )

  it.effect("never open more documents of all tenants than the global limit", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 3, globalDocuments: 4 }, capacity: 8 })
      for (let n = 0; n < 60; n++) yield* engine.submit("short", tenant(`t${n % 6}`))
      let held = 0
      yield* until(
        Effect.gen(function* () {
          held = Math.max(held, yield* engine.gateInUse("global"))
          return (yield* engine.store.stats()).processed === 60
        }),
        "5 millis"
      )
      assert.strictEqual((yield* engine.store.stats()).maxRunning, 4)
      assert.strictEqual(held, 4)
      for (let n = 0; n < 6; n++) assert.isAtMost((yield* engine.store.stats(tenant(`t${n}`))).maxRunning, 3)
    })
  )

  it.effect("take a tenant's permit before a global one, so that waiting documents hold none", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 1, globalDocuments: 2 }, capacity: 4 })
      for (let n = 0; n < 50; n++) yield* engine.submit("long", tenant("busy"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* engine.gateInUse("global"), 1)
      yield* engine.submit("short", tenant("quiet"))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* engine.store.stats(tenant("quiet"))).processed, 1)
    })
  )

  it.effect("give the next free global permit to a tenant that waits for it, whatever the backlog of another", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 2, globalDocuments: 2 }, capacity: 4 })
      for (let n = 0; n < 50; n++) yield* engine.submit("long", tenant("busy"))
      yield* TestClock.adjust("1 second")
      const { id } = yield* engine.submit("short", tenant("quiet"))
      const submitted = yield* Clock.currentTimeMillis
      yield* engine.awaitEnd(id, tenant("quiet"))
      // One document of the busy tenant takes twenty seconds, opening included.
      assert.isAtMost((yield* Clock.currentTimeMillis) - submitted, 20_000)
      assert.isAtMost((yield* engine.store.stats(tenant("busy"))).processed, 2)
    })
  )

  it.effect("are as wide for a tenant as the registry says", () =>
    Effect.gen(function* () {
      const tenants = { [tenant("big")]: { documents: 5 }, [tenant("small")]: { documents: 1 } }
      const engine = yield* startEngine({ scripts, tenants, limits: { tenantDocuments: 2, globalDocuments: 20 } })
      for (const name of ["big", "small", "other"]) {
        for (let n = 0; n < 10; n++) yield* engine.submit("short", tenant(name))
      }
      yield* until(Effect.map(engine.store.stats(), ({ processed }) => processed === 30))
      const widths: Array<number> = []
      for (const name of ["big", "small", "other"]) widths.push((yield* engine.store.stats(tenant(name))).maxRunning)
      assert.deepStrictEqual(widths, [5, 1, 2])
    })
  )

  it.effect("start a thousand documents of one tenant at once where they may", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ limits: { tenantDocuments: 1000, globalDocuments: 1000 } })
      for (let n = 0; n < 2000; n++) yield* engine.submit("short")
      yield* until(
        Effect.map(engine.store.stats(), ({ processed }) => processed === 2000),
        "1 second"
      )
      assert.strictEqual((yield* engine.store.stats()).failed, 0)
    })
  )

  for (const documentPages of [1, 2, 3, 6, 8]) {
    it.effect(`keep at most ${documentPages} pages of a document in the hands of the workers`, () =>
      Effect.gen(function* () {
        let inHand = 0
        let peak = 0
        const engine = yield* startEngine({
          scripts,
          capacity: 4,
          limits: { documentPages },
          reader: (reader) => ({
            read: (pdf, pages, concurrency) => {
              const permits = Math.min(concurrency, pages.length)
              return counted(reader.read(pdf, pages, concurrency), (step) => {
                inHand += step * permits
                peak = Math.max(peak, inHand)
              })
            }
          })
        })
        const { id } = yield* engine.submit("wide")
        const document = yield* engine.awaitEnd(id)
        assert.deepStrictEqual([document.status, document.progress.done, inHand], ["completed", 40, 0])
        assert.isAtMost(peak, documentPages)
      })
    )
  }

  it.effect("do not change what is read", () =>
    Effect.gen(function* () {
      const results: Array<unknown> = []
      for (const documentPages of [1, 8]) {
        const engine = yield* startEngine({ scripts, capacity: 4, limits: { documentPages } })
        const { id } = yield* engine.submit("wide")
        yield* engine.awaitEnd(id)
        results.push(yield* engine.pagesOf(id))
      }
      assert.deepStrictEqual(results[0], results[1])
    })
  )
})
