import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { EngineLimits } from "../../src/services/EngineConfig.ts"
import { type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { acme, startEngine, until } from "../support/engine.ts"

const fast = 800
/** Its pages take 8 ms, some of them ten times as long, then 8 ms again. */
const uneven: ScriptedDocument = {
  ...soundDocument(3000),
  page: (page) => ({ _tag: "Page", takes: page > fast && page <= fast + 50 ? "80 millis" : "8 millis" })
}

/** Calls worked on at once, seen every 10 ms of a second after so many pages. */
const callsAfter = (pages: ReadonlyArray<number>, pageConcurrency: EngineLimits["pageConcurrency"]) =>
  Effect.gen(function* () {
    const engine = yield* startEngine({
      scripts: { uneven },
      capacity: 4,
      limits: { pageConcurrency, documentPages: 8 }
    })
    const { id } = yield* engine.submit("uneven")
    const seen: Array<ReadonlyArray<number>> = []
    for (const page of pages) {
      yield* until(Effect.map(engine.ingestion.status(acme, id), ({ progress }) => progress.done >= page))
      const calls: Array<number> = []
      for (let step = 0; step < 100; step++) {
        yield* TestClock.adjust("10 millis")
        calls.push(engine.scripted.working())
      }
      seen.push(calls)
    }
    return seen
  })

describe("adaptive turns", () => {
  it.effect("become fewer while pages take longer than they used to, and as many as before afterwards", () =>
    Effect.gen(function* () {
      const [before = [], slow = [], after = []] = yield* callsAfter([300, fast, 2000], "adaptive")
      assert.deepStrictEqual(new Set(before), new Set([4]))
      assert.isAtMost(Math.min(...slow), 2)
      assert.deepStrictEqual(new Set(after), new Set([4]))
    })
  )

  it.effect("are not the default", () =>
    Effect.gen(function* () {
      const seen = yield* callsAfter([300, fast, 2000], "fixed")
      assert.deepStrictEqual(new Set(seen.flat()), new Set([4]))
    })
  )
})
