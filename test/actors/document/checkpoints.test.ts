import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { readPages } from "../../../src/actors/document/ReadPages.ts"
import { FairShares } from "../../../src/actors/scheduling/FairShares.ts"
import { makePageGates } from "../../../src/actors/gates/PageGate.ts"
import { PageScheduler } from "../../../src/actors/scheduling/PageScheduler.ts"
import { makeRunTimeBudget } from "../../../src/actors/document/RunTimeBudget.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { makeScriptedEngine, soundDocument } from "../../../src/services/PdfEngineScripted.ts"

describe("checkpoints", () => {
  it.effect("outlive the range that their page was read in", () =>
    Effect.gen(function* () {
      const saved: Array<number> = []
      const reading = readPages({
        pdf: { key: "slow store", location: { _tag: "Bytes", bytes: new Uint8Array() }, password: undefined },
        head: [],
        pages: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        pageGate: yield* makePageGates(6).open,
        pageTimeout: Duration.seconds(5),
        turn: { tenant: TenantId.make("acme"), priority: 5 },
        budget: makeRunTimeBudget(Duration.minutes(1)),
        faults: new Map(),
        onFault: () => Effect.void,
        checkpoint: (pages) =>
          Effect.andThen(
            Effect.sleep("2 seconds"),
            Effect.sync(() => saved.push(...pages.map(({ number }) => number)))
          )
      })
      const engine = makeScriptedEngine(() => soundDocument(10, "10 millis"))
      const fiber = yield* Effect.forkChild(
        Effect.provide(
          reading,
          PageScheduler.layer.pipe(
            Layer.provide([FairShares.layer, EngineConfig.layer()]),
            Layer.provideMerge(engine.layer)
          )
        )
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        saved.toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
      )
    })
  )
})
