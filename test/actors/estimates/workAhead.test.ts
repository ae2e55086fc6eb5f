import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, letPass, startEngine } from "../../support/engine.ts"

const scripts = { book: soundDocument(400, "50 millis") }

describe("the work that is ahead", () => {
  it.effect("is the worker time of what runs and waits, which falls as pages are read, and ends with its process", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const ahead = engine.workAhead
      assert.strictEqual(yield* ahead, 0)
      // The first document tells what documents cost.
      yield* engine.awaitEnd((yield* engine.submit("book")).id)
      const ids = yield* Effect.replicateEffect(
        Effect.map(engine.submit("book"), ({ id }) => id),
        10
      )
      yield* TestClock.adjust("5 seconds")
      const seconds = 10 * 400 * 0.05
      const before = yield* ahead
      assert.isAbove(before, seconds / 2)
      assert.isBelow(before, seconds * 1.5)
      yield* TestClock.adjust("10 seconds")
      assert.isBelow(yield* ahead, before - 5)
      yield* engine.ingestion.pause(acme)
      yield* Effect.forEach(ids, (id) => engine.ingestion.cancel(acme, id))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* ahead, 0)

      yield* engine.ingestion.resume(acme)
      yield* engine.submit("book")
      yield* TestClock.adjust("5 seconds")
      assert.isAbove(yield* ahead, 0)
      yield* letPass(yield* Effect.forkChild(engine.stop), "1 second")
      assert.strictEqual(yield* ahead, 0)
    })
  )
})
