import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Logger, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, brief, startEngine } from "../../support/engine.ts"

const scripts = { short: soundDocument(3, "10 millis"), long: soundDocument(200, "100 millis") }

/** Annotations of every line that tells of an end. */
const endsLogged = () => {
  const ends: Array<Readonly<Record<string, unknown>>> = []
  const logger = Logger.make(({ fiber, message }) => {
    const text = Array.isArray(message) ? message[0] : message
    if (text === "document ended") ends.push({ ...fiber.getRef(References.CurrentLogAnnotations) })
  })
  return { ends, layer: Logger.layer([logger]) }
}

describe("the end of a document", () => {
  it.effect("is told, logged and counted once, however it comes about", () => {
    const logged = endsLogged()
    return Effect.gen(function* () {
      const limits = { tenantDocuments: 1, queueTtl: Duration.minutes(1) }
      const engine = yield* startEngine({ scripts, limits })
      const told: Array<IngestEvent> = []
      const live = yield* engine.events.subscribe
      yield* Effect.forkChild(Stream.runForEach(live, (event) => Effect.sync(() => told.push(event))))
      const check = Effect.fnUntraced(function* (
        id: string,
        status: "completed" | "failed" | "cancelled",
        counted: number
      ) {
        yield* TestClock.adjust("10 millis")
        const events = told.filter((event) => event._tag === "DocumentEnded" && event.documentId === id)
        assert.deepStrictEqual(brief(events), [`DocumentEnded ${status}`])
        const lines = logged.ends.filter((annotations) => annotations["document.id"] === id)
        assert.deepStrictEqual(
          lines.map((line) => [line["tenant.id"], line["status"]]),
          [[acme, status]]
        )
        assert.strictEqual((yield* engine.endsCounted())[status], counted)
      })

      const read = yield* engine.submit("short")
      yield* engine.awaitEnd(read.id)
      yield* check(read.id, "completed", 1)

      const running = yield* engine.submit("long")
      yield* TestClock.adjust("1 second")
      const queued = yield* engine.submit("short")
      yield* engine.ingestion.cancel(acme, queued.id)
      yield* engine.ingestion.cancel(acme, queued.id)
      yield* check(queued.id, "cancelled", 1)
      yield* engine.ingestion.remove(acme, running.id)
      yield* check(running.id, "cancelled", 2)

      const withdrawn = yield* engine.submit("long")
      yield* TestClock.adjust("1 second")
      yield* engine.ingestion.withdraw(acme, withdrawn.id)
      yield* check(withdrawn.id, "cancelled", 3)
      const ended = yield* engine.submit("short")
      yield* engine.awaitEnd(ended.id)
      yield* engine.ingestion.withdraw(acme, ended.id)
      yield* check(ended.id, "completed", 2)

      yield* engine.ingestion.pause(acme)
      const expired = yield* engine.submit("short")
      yield* engine.awaitEnd(expired.id)
      yield* check(expired.id, "failed", 1)
      assert.deepStrictEqual(yield* engine.endsCounted(), { completed: 2, failed: 1, cancelled: 3 })
    }).pipe(Effect.provide(logged.layer))
  })
})
