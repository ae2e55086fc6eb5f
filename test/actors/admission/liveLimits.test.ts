import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, letPass, startEngine, tenant } from "../../support/engine.ts"

const pages = (pageCount: number, millis: number): ScriptedDocument => ({
  ...soundDocument(pageCount, `${millis} millis`),
  open: () => ({ _tag: "Opens", pageCount, takes: "5 millis" })
})
const scripts = { long: pages(5_000, 8), slow: pages(40, 500) }

describe("limits that are changed", () => {
  it.effect("open more documents at once when they are raised, and fewer as documents end when they are lowered", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 8, limits: { tenantDocuments: 1 } })
      for (let n = 0; n < 12; n++) yield* engine.submit("slow")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* engine.store.stats(acme)).running, 1)
      yield* engine.ingestion.setLimits(acme, { documents: 4 })
      yield* TestClock.adjust("10 millis")
      assert.strictEqual((yield* engine.store.stats(acme)).running, 4)
      yield* engine.ingestion.setLimits(acme, { documents: 2 })
      assert.strictEqual((yield* engine.store.stats(acme)).running, 4)
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* engine.store.stats(acme)).running, 2)
    })
  )

  it.effect("weigh the backlog that waits already", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2 })
      const gold = yield* engine.submit("long", tenant("gold"))
      const iron = yield* engine.submit("long", tenant("iron"))
      yield* TestClock.adjust("5 seconds")
      const before = (yield* engine.ingestion.status(tenant("gold"), gold.id)).progress.done
      const ironBefore = (yield* engine.ingestion.status(tenant("iron"), iron.id)).progress.done
      yield* engine.ingestion.setLimits(tenant("gold"), { weight: 3 })
      yield* TestClock.adjust("20 seconds")
      const got = (yield* engine.ingestion.status(tenant("gold"), gold.id)).progress.done - before
      const ironGot = (yield* engine.ingestion.status(tenant("iron"), iron.id)).progress.done - ironBefore
      assert.closeTo(got / (got + ironGot), 0.75, 0.02)
    })
  )

  it.effect("start nothing in between when they are raised with a pause", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        limits: { tenantDocuments: 1 },
        store: (store) => ({
          setPaused: (owner, paused) => Effect.andThen(Effect.sleep("1 second"), store.setPaused(owner, paused))
        })
      })
      for (let n = 0; n < 4; n++) yield* engine.submit("slow")
      yield* TestClock.adjust("1 second")
      const changing = yield* Effect.forkChild(engine.ingestion.setLimits(acme, { documents: 4 }, true))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* engine.store.stats(acme)).running, 1)
      assert.deepInclude(yield* letPass(changing), { documents: 4 })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* engine.store.stats(acme)).running, 1)
    })
  )

  it.effect("hold from the first document on when they are lowered while the tenant is resumed", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        limits: { tenantDocuments: 4 },
        store: (store) => ({
          setPaused: (owner, paused) => Effect.andThen(store.setPaused(owner, paused), Effect.sleep("1 second"))
        })
      })
      yield* letPass(yield* Effect.forkChild(engine.ingestion.pause(acme)))
      for (let n = 0; n < 4; n++) yield* engine.submit("slow")
      const changing = yield* Effect.forkChild(engine.ingestion.setLimits(acme, { documents: 1 }, false))
      yield* TestClock.adjust("500 millis")
      yield* engine.directory.tell(acme, { _tag: "Wake" })
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* engine.store.stats(acme)).running, 1)
      yield* letPass(changing)
      assert.strictEqual((yield* engine.store.stats(acme)).running, 1)
    })
  )

  it.effect("let more or fewer pages of a document that runs be read at once", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 4, limits: { documentPages: 1 } })
      yield* engine.submit("slow")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* engine.gateInUse("page"), 1)
      yield* engine.ingestion.setLimits(acme, { pages: 4 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* engine.gateInUse("page"), 4)
      yield* engine.ingestion.setLimits(acme, { pages: 2 })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* engine.gateInUse("page"), 2)
    })
  )
})
