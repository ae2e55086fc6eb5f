import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import type { DocumentId } from "../../../src/domain/Ids.ts"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, brief, letPass, startEngine, tenant, type WorldOptions } from "../../support/engine.ts"

const scripts: Record<string, ScriptedDocument> = {
  short: soundDocument(3, "10 millis"),
  long: soundDocument(200, "100 millis"),
  hangs: {
    ...soundDocument(10, "10 millis"),
    page: (number) => (number === 4 ? { _tag: "Hang" } : { _tag: "Page", takes: "10 millis" })
  },
  hangsOpening: { ...soundDocument(1), open: () => ({ _tag: "Hang" }) }
}
const limits = { tenantDocuments: 1, globalDocuments: 1, pageTimeout: Duration.minutes(10) }

/** An engine, everything that is told of its documents, and a check of what a cancel promises. */
const start = Effect.fnUntraced(function* (options: Partial<WorldOptions> = {}) {
  const engine = yield* startEngine({ scripts, limits, ...options })
  const told: Array<IngestEvent> = []
  const live = yield* engine.events.subscribe
  yield* Effect.forkChild(Stream.runForEach(live, (event) => Effect.sync(() => told.push(event))))

  const cancelAndCheck = Effect.fnUntraced(function* (id: DocumentId) {
    const document = yield* engine.ingestion.cancel(acme, id)
    assert.deepStrictEqual([document.status, document.failure?.code], ["cancelled", "CANCELLED"])
    const pages = yield* engine.pagesOf(id)
    yield* TestClock.adjust("10 millis")
    assert.strictEqual((yield* engine.ingestion.cancel(acme, id)).status, "cancelled")
    yield* TestClock.adjust("1 minute")
    const { outline: _, ...after } = yield* engine.ingestion.status(acme, id)
    assert.deepStrictEqual(after, { ...document })
    assert.strictEqual((yield* engine.pagesOf(id)).length, pages.length)
    const ends = told.filter((event) => event._tag === "DocumentEnded" && event.documentId === id)
    assert.deepStrictEqual(brief(ends), ["DocumentEnded cancelled"])
  })
  const checkNothingIsHeld = Effect.gen(function* () {
    yield* TestClock.adjust("10 millis")
    const held = [yield* engine.gateInUse("tenant"), yield* engine.gateInUse("global"), engine.scripted.working()]
    assert.deepStrictEqual(held, [0, 0, 0])
    const { id } = yield* engine.submit("short")
    assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
  })
  return { ...engine, cancelAndCheck, checkNothingIsHeld }
})

describe("a cancel", () => {
  it.effect("ends a document that is scheduled", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const { id } = yield* engine.submit("short", acme, { notBefore: DateTime.makeUnsafe(10_000) })
      yield* engine.cancelAndCheck(id)
      assert.strictEqual(engine.scripted.timesOpened(id), 0)
      yield* engine.checkNothingIsHeld
    })
  )

  it.effect("ends a document that is queued behind another", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const first = yield* engine.submit("long")
      const { id } = yield* engine.submit("short")
      yield* TestClock.adjust("100 millis")
      yield* engine.cancelAndCheck(id)
      assert.strictEqual(engine.scripted.timesOpened(id), 0)
      assert.strictEqual((yield* engine.awaitEnd(first.id)).status, "completed")
    })
  )

  it.effect("ends a document whose tenant waits at the global gate", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const other = yield* engine.submit("long", tenant("other"))
      yield* TestClock.adjust("100 millis")
      const { id } = yield* engine.submit("short")
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* engine.gateInUse("tenant"), 2)
      yield* engine.cancelAndCheck(id)
      yield* engine.awaitEnd(other.id, tenant("other"))
      yield* engine.checkNothingIsHeld
    })
  )

  it.effect("ends a document that is being read", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).status, "running")
      yield* engine.cancelAndCheck(id)
      yield* engine.checkNothingIsHeld
    })
  )

  it.effect("ends a document in the middle of a page that hangs", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const { id } = yield* engine.submit("hangs")
      yield* TestClock.adjust("1 second")
      assert.isAbove(engine.scripted.working(), 0)
      yield* engine.cancelAndCheck(id)
      yield* engine.checkNothingIsHeld
    })
  )

  it.effect("ends a document whose opening hangs", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const { id } = yield* engine.submit("hangsOpening")
      yield* TestClock.adjust("1 second")
      yield* engine.cancelAndCheck(id)
      yield* engine.checkNothingIsHeld
    })
  )

  it.effect("writes nothing of a page that is being saved at that moment", () =>
    Effect.gen(function* () {
      const engine = yield* start({
        store: (store) => ({
          savePages: (fence, pages) => Effect.andThen(Effect.sleep("500 millis"), store.savePages(fence, pages))
        })
      })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("300 millis")
      yield* engine.cancelAndCheck(id)
      assert.strictEqual((yield* engine.pagesOf(id)).length, 0)
      yield* engine.checkNothingIsHeld
    })
  )

  it.effect("announces one end, even when several cancel at once", () =>
    Effect.gen(function* () {
      const engine = yield* start({
        store: (store) => ({
          find: (owner, id) => Effect.tap(store.find(owner, id), () => Effect.sleep("1 millis"))
        })
      })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("1 second")
      const cancels = Effect.all(
        Array.from({ length: 5 }, () => engine.ingestion.cancel(acme, id)),
        {
          concurrency: "unbounded"
        }
      )
      const cancelled = yield* letPass(yield* Effect.forkChild(cancels), "1 millis")
      assert.deepStrictEqual(new Set(cancelled.map(({ status }) => status)), new Set(["cancelled"]))
      const checked = yield* Effect.forkChild(engine.cancelAndCheck(id))
      yield* letPass(checked)
    })
  )

  it.effect("tells the document's runner even when the one who asked for it goes away", () =>
    Effect.gen(function* () {
      const engine = yield* start({
        store: (store) => ({
          cancel: (owner, id) => Effect.tap(store.cancel(owner, id), () => Effect.sleep("10 millis"))
        })
      })
      const { id } = yield* engine.submit("hangs")
      yield* TestClock.adjust("1 second")
      const asking = yield* Effect.forkChild(engine.ingestion.cancel(acme, id))
      yield* TestClock.adjust("5 millis")
      const leaving = yield* Effect.forkChild(Fiber.interrupt(asking))
      yield* letPass(leaving)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(engine.scripted.working(), 0)
    })
  )

  it.effect("leaves a document that has ended as it is", () =>
    Effect.gen(function* () {
      const engine = yield* start()
      const { id } = yield* engine.submit("short")
      const { outline: _, ...ended } = yield* engine.awaitEnd(id)
      assert.deepStrictEqual({ ...(yield* engine.ingestion.cancel(acme, id)) }, ended)
    })
  )
})
