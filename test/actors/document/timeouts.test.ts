import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { CurrentProcessorWait } from "../../../src/services/ProcessorWait.ts"
import { acme, startEngine, tenant } from "../../support/engine.ts"

const ten = soundDocument(10, "10 millis")
const scripts: Record<string, ScriptedDocument> = {
  hangs: { ...ten, page: (number) => (number === 4 ? { _tag: "Hang" } : { _tag: "Page", takes: "10 millis" }) },
  hangsOnce: {
    ...ten,
    page: (number, before) => (number === 4 && before === 0 ? { _tag: "Hang" } : { _tag: "Page", takes: "10 millis" })
  },
  starving: { ...ten, page: () => ({ _tag: "Page", takes: "20 seconds" }) },
  hangsOpening: { ...ten, open: () => ({ _tag: "Hang" }) },
  many: soundDocument(300, "1 millis"),
  slow: { ...soundDocument(100, "1 second"), open: () => ({ _tag: "Opens", pageCount: 100 }) },
  minute: { ...soundDocument(60, "1 second"), open: () => ({ _tag: "Opens", pageCount: 60 }) }
}

describe("the timeouts", () => {
  it.effect("end a page that hangs, and nothing else of its document", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { pageTimeout: Duration.seconds(3) } })
      const { id } = yield* engine.submit("hangs")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.progress], ["partial", { pages: 10, done: 10, failed: 1 }])
      const hung = (yield* engine.pagesOf(id)).filter(({ error }) => error !== undefined)
      assert.deepStrictEqual(
        hung.map(({ error, number, status }) => [number, status, error?.code]),
        [[4, "timeout", "PAGE_TIMEOUT"]]
      )
      assert.isAtMost(yield* Clock.currentTimeMillis, 8_000)
      assert.strictEqual(engine.scripted.working(), 0)
    })
  )

  it.effect("give a page that hung in company a second chance alone", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { pageTimeout: Duration.seconds(3) } })
      const { id } = yield* engine.submit("hangsOnce")
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
    })
  )

  it.effect("do not count what a worker waits for a processor", () =>
    Effect.gen(function* () {
      // Of each second it gets a tenth.
      const starved = Effect.gen(function* () {
        const wait = yield* CurrentProcessorWait
        const clock = yield* Clock.Clock
        const start = clock.currentTimeMillisUnsafe()
        wait.millis = () => (clock.currentTimeMillisUnsafe() - start) * 0.9
      })
      const engine = yield* startEngine({
        scripts,
        limits: { pageTimeout: Duration.seconds(3), documentTimeout: Duration.seconds(40) },
        reader: (reader) => ({
          open: (pdf, head) => Effect.andThen(starved, reader.open(pdf, head)),
          read: (pdf, pages, concurrency) => Stream.unwrap(Effect.as(starved, reader.read(pdf, pages, concurrency)))
        })
      })
      const slow = yield* engine.submit("starving")
      assert.strictEqual((yield* engine.awaitEnd(slow.id)).status, "completed")
      // What hangs all the same is ended, later.
      const { id } = yield* engine.submit("hangs")
      const before = yield* Clock.currentTimeMillis
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "partial")
      assert.isAtLeast((yield* Clock.currentTimeMillis) - before, 30_000)
    })
  )

  it.effect("do not count the time that a slow store takes over what was read", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        limits: { pageTimeout: Duration.seconds(3) },
        store: (store) => ({
          savePages: (fence, pages) => Effect.andThen(Effect.sleep("7 seconds"), store.savePages(fence, pages))
        })
      })
      const { id } = yield* engine.submit("many")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.progress.done], ["completed", 300])
      for (let page = 1; page <= 300; page++) assert.strictEqual(engine.scripted.timesRead(id, page), 1)
    })
  )

  it.effect("end a document that cannot be opened", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { pageTimeout: Duration.seconds(3) } })
      const { id } = yield* engine.submit("hangsOpening")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.failure?.code], ["failed", "DOCUMENT_TIMEOUT"])
      assert.isAtMost(yield* Clock.currentTimeMillis, 7_000)
      assert.strictEqual(engine.scripted.working(), 0)
    })
  )

  it.effect("end a document that runs for too long, with the pages it has", () =>
    Effect.gen(function* () {
      const limits = { documentTimeout: Duration.seconds(20), documentPages: 1 }
      const engine = yield* startEngine({ scripts, limits, capacity: 1 })
      const { id } = yield* engine.submit("slow")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.failure?.code], ["failed", "DOCUMENT_TIMEOUT"])
      assert.isAtLeast(document.progress.done, 12)
      assert.isAtMost(document.progress.done, 20)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([engine.scripted.working(), yield* engine.gateInUse("global")], [0, 0])
    })
  )

  it.effect("do not count the turns that other tenants have", () =>
    Effect.gen(function* () {
      const limits = { documentTimeout: Duration.seconds(70), globalDocuments: 8 }
      const engine = yield* startEngine({ scripts, limits, capacity: 1 })
      for (const other of ["a", "b", "c"]) yield* engine.submit("minute", tenant(other))
      const { id } = yield* engine.submit("minute")
      const document = yield* engine.awaitEnd(id, acme, "1 second")
      assert.strictEqual(document.status, "completed")
      assert.isAtLeast(yield* Clock.currentTimeMillis, 200_000)
    })
  )

  it.effect("count what a document ran before it made room for others", () =>
    Effect.gen(function* () {
      const limits = { documentTimeout: Duration.seconds(20), globalDocuments: 1 }
      const engine = yield* startEngine({ scripts, limits, capacity: 1 })
      const { id } = yield* engine.submit("slow")
      for (const other of ["a", "b", "c"]) yield* engine.submit("minute", tenant(other))
      const document = yield* engine.awaitEnd(id, acme, "1 second")
      assert.deepStrictEqual([document.status, document.failure?.code], ["failed", "DOCUMENT_TIMEOUT"])
      assert.isAtLeast(document.interruptions, 2)
      assert.isAtLeast(document.progress.done, 12)
      assert.isAtMost(document.progress.done, 20)
      // A retry is a new beginning.
      yield* engine.ingestion.retry(acme, id)
      const again = yield* engine.awaitEnd(id, acme, "1 second")
      assert.isAtLeast(again.progress.done, document.progress.done + 12)
    })
  )
})
