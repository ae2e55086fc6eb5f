import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, brief, letPass, makeWorld, tenant, words } from "../../support/engine.ts"

const scripts: Record<string, ScriptedDocument> = {
  long: soundDocument(100, "100 millis"),
  hangs: { ...soundDocument(10, "10 millis"), page: () => ({ _tag: "Hang" }) }
}
const limits = { tenantDocuments: 2, globalDocuments: 4, shutdownGrace: Duration.seconds(5) }

describe("stopping the engine", () => {
  it.effect("gives running documents back with their pages, and another engine finishes them", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits, capacity: 4 })
      const told: Array<IngestEvent> = []
      const live = yield* world.events.subscribe
      yield* Effect.forkChild(Stream.runForEach(live, (event) => Effect.sync(() => told.push(event))))
      const first = yield* world.start
      const owners = [acme, tenant("a"), tenant("b")]
      const documents = []
      for (const owner of [...owners, ...owners, ...owners]) {
        documents.push({ owner, id: (yield* words(first.ingestion).submit("long", owner)).id })
      }
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* world.store.stats()).running, 4)
      yield* letPass(yield* Effect.forkChild(first.stop), "10 millis")

      const stopped = yield* world.store.stats()
      assert.deepStrictEqual([stopped.running, stopped.waiting], [0, 9])
      assert.strictEqual(world.scripted.working(), 0)
      const held = [yield* world.gateInUse("tenant"), yield* world.gateInUse("global"), yield* world.gateInUse("page")]
      assert.deepStrictEqual(held, [0, 0, 0])
      const doneBefore = new Map<string, number>()
      for (const { id, owner } of documents) doneBefore.set(id, (yield* world.store.find(owner, id)).progress.done)
      assert.isAbove(Math.max(...doneBefore.values()), 0)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* world.store.stats(), stopped)

      const second = yield* world.start
      for (const { id, owner } of documents) {
        const document = yield* words(second.ingestion).awaitEnd(id, owner)
        assert.deepStrictEqual([document.status, document.progress.done], ["completed", 100])
        let read = 0
        for (let page = 1; page <= 100; page++) read += world.scripted.timesRead(id, page)
        // Pages without a result were read again, and no others.
        assert.isAtMost(read, 100 + 32)
        assert.isAtMost(world.scripted.timesOpened(id), 2)
      }
      assert.strictEqual(brief(told).filter((event) => event === "DocumentEnded completed").length, 9)
    })
  )

  it.effect("does not wait longer for a page that hangs than the grace", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits })
      const engine = yield* world.start
      const { id } = yield* words(engine.ingestion).submit("hangs")
      yield* TestClock.adjust("1 second")
      const asked = yield* Clock.currentTimeMillis
      yield* letPass(yield* Effect.forkChild(engine.stop))
      assert.isAtMost((yield* Clock.currentTimeMillis) - asked, 6_000)
      assert.strictEqual((yield* world.store.find(acme, id)).status, "queued")
      assert.strictEqual(world.scripted.working(), 0)
    })
  )

  it.effect("gives back what was being claimed at that moment", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        scripts,
        limits,
        store: (store) => ({
          claim: (owner, lease) => Effect.tap(store.claim(owner, lease), () => Effect.sleep("8 seconds"))
        })
      })
      const engine = yield* world.start
      yield* words(engine.ingestion).submit("long")
      yield* TestClock.adjust("1 second")
      yield* letPass(yield* Effect.forkChild(engine.stop))
      const { running, waiting } = yield* world.store.stats()
      assert.deepStrictEqual([running, waiting], [0, 1])
    })
  )

  it.effect("starts nothing while it goes on, whatever wakes the tenants", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { ...limits, tenantDocuments: 1 } })
      const engine = yield* world.start
      for (let n = 0; n < 5; n++) yield* words(engine.ingestion).submit("hangs")
      yield* TestClock.adjust("1 second")
      const stopping = yield* Effect.forkChild(engine.stop)
      for (let n = 0; n < 10; n++) {
        yield* engine.directory.tell(acme, { _tag: "Wake" })
        yield* TestClock.adjust("200 millis")
      }
      yield* letPass(stopping)
      const { maxRunning, running, waiting } = yield* world.store.stats()
      assert.deepStrictEqual([maxRunning, running, waiting], [1, 0, 5])
    })
  )

  it.effect("leaves nobody waiting who tells a tenant something afterwards", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { ...limits, mailboxCapacity: 2 } })
      const engine = yield* world.start
      yield* letPass(yield* Effect.forkChild(engine.stop))
      for (let n = 0; n < 10; n++) {
        yield* letPass(yield* Effect.forkChild(engine.directory.tell(acme, { _tag: "Wake" })))
      }
    })
  )
})
