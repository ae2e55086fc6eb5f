import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, brief, letPass, startEngine, tenant } from "../../support/engine.ts"

const scripts = {
  three: soundDocument(3, "10 millis"),
  long: soundDocument(450, "20 millis"),
  huge: soundDocument(6000, "1 millis")
}
const pagesIn = (events: ReadonlyArray<string>) => new Set(events.filter((event) => event.startsWith("PageDone")))

describe("following a document", () => {
  it.effect("tells everything from its beginning to its end", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 1 })
      const { id } = yield* engine.submit("three")
      const events = brief(yield* letPass(yield* engine.followed(id)))
      assert.deepStrictEqual(
        events.filter((event) => event !== "DocumentStarted"),
        [
          "DocumentAccepted",
          "DocumentOpened",
          "PageDone 1 ok",
          "PageDone 2 ok",
          "PageDone 3 ok",
          "DocumentEnded completed"
        ]
      )
    })
  )

  it.effect("tells the same to one who comes late or too late", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("long")
      for (const _ of [1, 2, 3, 4]) {
        const events = brief(
          yield* letPass(yield* Effect.andThen(TestClock.adjust("1500 millis"), engine.followed(id)))
        )
        assert.deepStrictEqual(events.slice(0, 1), ["DocumentAccepted"])
        assert.deepStrictEqual(events.slice(-1), ["DocumentEnded completed"])
        assert.strictEqual(pagesIn(events).size, 450)
        assert.strictEqual(events.filter((event) => event.startsWith("PageDone")).length, 450)
      }
    })
  )

  it.effect("tells every page even when a listener is too slow for the events", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 4 })
      const { id } = yield* engine.submit("huge")
      const slow = engine.ingestion.follow(acme, id).pipe(
        Stream.tap((event) => (event._tag === "DocumentOpened" ? Effect.sleep("1 minute") : Effect.void)),
        Stream.runCollect
      )
      const events = brief(yield* letPass(yield* Effect.forkChild(slow), "1 second"))
      assert.strictEqual(pagesIn(events).size, 6000)
      assert.deepStrictEqual(events.slice(-1), ["DocumentEnded completed"])
    })
  )

  it.effect("ends when the document is cancelled, and when it is removed", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const first = yield* engine.submit("long")
      const second = yield* engine.submit("long")
      const following = [yield* engine.followed(first.id), yield* engine.followed(second.id)]
      yield* TestClock.adjust("1 second")
      yield* engine.ingestion.cancel(acme, first.id)
      yield* engine.ingestion.remove(acme, second.id)
      for (const fiber of following) {
        assert.deepStrictEqual(brief(yield* letPass(fiber)).slice(-1), ["DocumentEnded cancelled"])
      }
    })
  )

  it.effect("ends even when every event was lost", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, deaf: true })
      const { id } = yield* engine.submit("three")
      const events = brief(yield* letPass(yield* engine.followed(id)))
      assert.deepStrictEqual(events.slice(-1), ["DocumentEnded completed"])
      assert.strictEqual(pagesIn(events).size, 3)
    })
  )

  it.effect("is for the document's own tenant", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("three")
      const refused = yield* Effect.flip(Stream.runCollect(engine.ingestion.follow(tenant("other"), id)))
      assert.strictEqual(refused._tag, "DocumentNotFound")
      const others = yield* Effect.forkChild(
        Stream.runCollect(Stream.take(engine.ingestion.events(tenant("other")), 1))
      )
      yield* engine.awaitEnd(id)
      assert.isUndefined(others.pollUnsafe())
    })
  )
})
