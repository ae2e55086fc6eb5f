import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { RunnerId } from "../../../src/domain/Ids.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, letPass, makeWorld, startEngine, tenant, until, words } from "../../support/engine.ts"
import { ahead } from "../../support/clock.ts"

const scripts: Record<string, ScriptedDocument> = {
  long: soundDocument(100, "500 millis"),
  longest: soundDocument(1000, "1 second"),
  endless: { ...soundDocument(1), page: () => ({ _tag: "Hang" }) },
  hangsFirst: {
    ...soundDocument(10, "10 millis"),
    page: (number, before) => (number === 4 && before === 0 ? { _tag: "Hang" } : { _tag: "Page", takes: "10 millis" })
  }
}

/** Later than any lease ends. */
const muchLater = 60 * 60 * 1000

describe("a lease", () => {
  it.effect("is kept for as long as the document runs", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("long")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 1])
      assert.isAtLeast(yield* Clock.currentTimeMillis, 20_000)
    })
  )

  it.effect("that is lost ends the run, which writes nothing any more, and the next claim completes the document", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("5 seconds")
      yield* ahead(muchLater, engine.store.reclaimExpired)
      const elsewhere = { runner: RunnerId.make("elsewhere"), lease: Duration.seconds(60) }
      const claim = yield* engine.store.claim(acme, elsewhere)
      assert.isTrue(Option.isSome(claim))
      const done = (yield* engine.pagesOf(id)).length
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* engine.pagesOf(id)).length, done)
      assert.strictEqual(engine.scripted.working(), 0)
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).attempt, 2)

      yield* TestClock.adjust("60 seconds")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 3])
      let read = 0
      for (let page = 1; page <= 100; page++) read += engine.scripted.timesRead(id, page)
      // Only the pages in hand when the lease was lost were read twice.
      assert.isAtMost(read, 100 + 16)
    })
  )

  it.effect("that is lost and won again by the same runner is watched as before", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("1 second")
      yield* ahead(muchLater, engine.store.reclaimExpired)
      // Anything wakes the tenant, which claims its document again while the first run has not noticed yet.
      const other = yield* engine.submit("long")
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).attempt, 2)
      yield* engine.ingestion.cancel(acme, other.id)
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 2])
    })
  )

  it.effect("that is lost and won again by the same runner does not keep a cancel from stopping the run", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("endless")
      yield* TestClock.adjust("1 second")
      yield* ahead(muchLater, engine.store.reclaimExpired)
      yield* engine.directory.tell(acme, { _tag: "Wake" })
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).attempt, 2)
      yield* engine.ingestion.cancel(acme, id)
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual([engine.scripted.working(), yield* engine.gateInUse("global")], [0, 0])
    })
  )

  it.effect("of a document that could not be given back runs out, however busy its runner is", () =>
    Effect.gen(function* () {
      let broken = true
      const engine = yield* startEngine({
        scripts,
        limits: { globalDocuments: 4 },
        store: (store) => {
          const failing = new StoreUnavailable({ operation: "write", cause: "test" })
          return {
            opened: (fence, pdf) =>
              Effect.suspend(() => (broken && pdf.pageCount === 10 ? failing : store.opened(fence, pdf))),
            release: (fence) => Effect.suspend(() => (broken ? failing : store.release(fence)))
          }
        }
      })
      // Something is held without a break, so the runner renews its leases without a break.
      yield* engine.submit("longest", tenant("busy"))
      const { id } = yield* engine.submit("hangsFirst")
      yield* TestClock.adjust("1 minute")
      broken = false
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).status, "completed")
    })
  )

  it.effect("moves a document to the engine that is left when another stands still", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { globalDocuments: 1 } })
      const first = yield* world.start
      const { submit } = words(first.ingestion)
      const { id } = yield* submit("long")
      yield* TestClock.adjust("1 second")
      const second = yield* world.start
      const stopping = yield* Effect.forkChild(first.stop)
      yield* letPass(stopping)
      yield* second.directory.tell(acme, { _tag: "Wake" })
      yield* until(Effect.map(world.store.stats(), ({ processed }) => processed === 1))
      const document = yield* words(second.ingestion).awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 2])
    })
  )
})
