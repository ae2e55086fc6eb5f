import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { readPages } from "../../../src/actors/document/ReadPages.ts"
import { FairShares } from "../../../src/actors/scheduling/FairShares.ts"
import { makePageGates } from "../../../src/actors/gates/PageGate.ts"
import { PageScheduler } from "../../../src/actors/scheduling/PageScheduler.ts"
import { makeRunTimeBudget } from "../../../src/actors/document/RunTimeBudget.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import type { PageResult } from "../../../src/domain/document/Page.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { PdfEngine, PdfEngineError, WorkerDied } from "../../../src/services/PdfEngine.ts"
import { makeScriptedEngine, soundDocument } from "../../../src/services/PdfEngineScripted.ts"

const count = 200
const culprit = 120

/** A worker that goes at one page, and takes with it all that it has read of the same range. */
const losing = (going: Stream.Stream<PageResult, PdfEngineError>) =>
  Layer.effect(
    PdfEngine,
    Effect.map(PdfEngine, (engine) =>
      PdfEngine.of({
        ...engine,
        read: (pdf, pages, concurrency) => (pages.includes(culprit) ? going : engine.read(pdf, pages, concurrency))
      })
    )
  ).pipe(Layer.provide(makeScriptedEngine(() => soundDocument(count, "1 millis"), { capacity: 1 }).layer))

const readAll = Effect.fnUntraced(function* (engine: Layer.Layer<PdfEngine>) {
  const saved = new Map<number, string>()
  const faults: Array<number> = []
  const began = yield* Clock.currentTimeMillis
  const reading = readPages({
    pdf: { key: "lost", location: { _tag: "Bytes", bytes: new Uint8Array() }, password: undefined },
    head: [],
    pages: Array.from({ length: count }, (_, index) => index + 1),
    pageGate: yield* makePageGates(4).open,
    pageTimeout: Duration.seconds(5),
    turn: { tenant: TenantId.make("acme"), priority: 5 },
    budget: makeRunTimeBudget(Duration.minutes(10)),
    faults: new Map(),
    onFault: (page) => Effect.sync(() => faults.push(page)),
    checkpoint: (pages) => Effect.sync(() => pages.forEach(({ number, status }) => saved.set(number, status)))
  }).pipe(Effect.andThen(Clock.currentTimeMillis))
  const scheduler = PageScheduler.layer.pipe(
    Layer.provide([FairShares.layer, EngineConfig.layer()]),
    Layer.provideMerge(engine)
  )
  const fiber = yield* Effect.forkChild(Effect.provide(reading, scheduler))
  yield* TestClock.adjust("10 minutes")
  return {
    took: (yield* Fiber.join(fiber)) - began,
    faults,
    troubled: [...saved].filter(([, status]) => status !== "ok"),
    saved
  }
})

describe("the page to blame", () => {
  it.effect("is found by its third timeout, also when all results of its range are lost", () =>
    Effect.gen(function* () {
      const { saved, took, troubled } = yield* readAll(losing(Stream.never))
      assert.strictEqual(saved.size, count)
      assert.deepStrictEqual(troubled, [[culprit, "timeout"]])
      assert.isBelow(took, 20_000)
    })
  )

  it.effect("is found by the workers that die of it, and no other page is", () =>
    Effect.gen(function* () {
      const died = new PdfEngineError({ reason: new WorkerDied({ memory: false, detail: "it is gone" }) })
      const { faults, saved, troubled } = yield* readAll(losing(Stream.fail(died)))
      assert.strictEqual(saved.size, count)
      assert.deepStrictEqual(troubled, [[culprit, "failed"]])
      assert.deepStrictEqual(faults, [culprit])
    })
  )
})
