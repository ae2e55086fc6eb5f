import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import { failure } from "../../../src/domain/Failure.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, brief, startEngine } from "../../support/engine.ts"
import type { Store } from "../../support/store.ts"

const scripts = {
  short: soundDocument(3, "1 millis"),
  long: soundDocument(40, "1 millis"),
  broken: {
    ...soundDocument(3, "1 millis"),
    page: (number: number) =>
      number === 2
        ? ({ _tag: "Page", result: { status: "failed", error: failure("PAGE_UNREADABLE", "broken") } } as const)
        : ({ _tag: "Page", result: { text: "sound" } } as const)
  }
}

/** An engine that tells how it writes to its store. */
const startCounting = Effect.fnUntraced(function* (changes: (store: Store) => Partial<Store> = () => ({})) {
  const writes: Array<string> = []
  const count = (name: string) => Effect.sync(() => writes.push(name))
  const engine = yield* startEngine({
    scripts,
    store: (store) => ({
      opened: (...args) => Effect.andThen(count("opened"), store.opened(...args)),
      savePages: (...args) => Effect.andThen(count("pages"), store.savePages(...args)),
      finish: (...args) => Effect.andThen(count("finish"), store.finish(...args)),
      finishWhole: (...args) => Effect.andThen(count("whole"), store.finishWhole(...args)),
      ...changes(store)
    })
  })
  return { engine, writes }
})

describe("a document whose pages all come with its opening", () => {
  it.effect("is stored with its end in one write, and told of step by step", () =>
    Effect.gen(function* () {
      const { engine, writes } = yield* startCounting()
      const told: Array<IngestEvent> = []
      const live = yield* engine.events.subscribe
      yield* Effect.forkChild(Stream.runForEach(live, (event) => Effect.sync(() => told.push(event))))
      const { id } = yield* engine.submit("short")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.progress], ["completed", { pages: 3, done: 3, failed: 0 }])
      assert.deepStrictEqual(writes, ["whole"])
      assert.strictEqual((yield* engine.pagesOf(id)).length, 3)
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(
        told.filter((event) => event.documentId === id).map(({ _tag }) => _tag),
        ["DocumentAccepted", "DocumentStarted", "DocumentOpened", "PageDone", "PageDone", "PageDone", "DocumentEnded"]
      )
      assert.strictEqual(brief(told).at(-1), "DocumentEnded completed")
    })
  )

  it.effect("is stored as its pages come when it has more of them, or one that is to be read again", () =>
    Effect.gen(function* () {
      const { engine, writes } = yield* startCounting()
      yield* engine.awaitEnd((yield* engine.submit("long")).id)
      // Its head, and each of the others: they come one by one.
      assert.strictEqual(writes.filter((write) => write === "pages").length, 1 + 40 - 8)
      const { id } = yield* engine.submit("broken")
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "partial")
      assert.notInclude(writes, "whole")
    })
  )

  it.effect("is written again while the store is unavailable, and told of once", () =>
    Effect.gen(function* () {
      let attempts = 0
      const down = new StoreUnavailable({ operation: "finish a document", cause: "down" })
      const { engine } = yield* startCounting((store) => ({
        finishWhole: (...args) =>
          Effect.suspend(() => (++attempts < 3 ? Effect.fail(down) : store.finishWhole(...args)))
      }))
      const { id } = yield* engine.submit("short")
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      assert.strictEqual(attempts, 3)
      assert.strictEqual((yield* engine.endsCounted()).completed, 1)
    })
  )

  it.effect("keeps nothing of what was read when it is cancelled before it is written", () =>
    Effect.gen(function* () {
      const { engine } = yield* startCounting((store) => ({
        finishWhole: (...args) => Effect.andThen(Effect.sleep("500 millis"), store.finishWhole(...args))
      }))
      const { id } = yield* engine.submit("short")
      yield* TestClock.adjust("100 millis")
      yield* engine.ingestion.cancel(acme, id)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* engine.pagesOf(id)).length, 0)
    })
  )
})
