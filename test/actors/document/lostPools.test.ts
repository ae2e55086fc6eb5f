import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { openPdf } from "../../../src/actors/document/OpenPdf.ts"
import { readPages } from "../../../src/actors/document/ReadPages.ts"
import { makeRunTimeBudget } from "../../../src/actors/document/RunTimeBudget.ts"
import { makePageGates } from "../../../src/actors/gates/PageGate.ts"
import { FairShares } from "../../../src/actors/scheduling/FairShares.ts"
import { PageScheduler } from "../../../src/actors/scheduling/PageScheduler.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { PdfEngine, PdfEngineError, type PdfRef, PoolLost } from "../../../src/services/PdfEngine.ts"
import { makeScriptedEngine, soundDocument } from "../../../src/services/PdfEngineScripted.ts"

const count = 40
const pdf: PdfRef = { key: "lost", location: { _tag: "Bytes", bytes: new Uint8Array() }, password: undefined }
const lost = new PdfEngineError({ reason: new PoolLost({ pool: "other", detail: "scripted" }) })

/** The reader is lost in the middle of so many ranges, and of so many openings. */
const losing = (ranges: number, openings: number) => {
  let [reads, opens] = [0, 0]
  return Layer.effect(
    PdfEngine,
    Effect.map(PdfEngine, (engine) =>
      PdfEngine.of({
        ...engine,
        open: (...call) => (opens++ < openings ? Effect.fail(lost) : engine.open(...call)),
        read: (ref, pages, concurrency) => {
          if (reads++ >= ranges) return engine.read(ref, pages, concurrency)
          const half = pages.slice(0, Math.floor(pages.length / 2))
          return Stream.concat(half.length > 0 ? engine.read(ref, half, concurrency) : Stream.empty, Stream.fail(lost))
        }
      })
    )
  ).pipe(Layer.provide(makeScriptedEngine(() => soundDocument(count, "5 millis"), { capacity: 2 }).layer))
}

const schedulerOver = (engine: Layer.Layer<PdfEngine>) =>
  PageScheduler.layer.pipe(
    Layer.provide([FairShares.layer]),
    Layer.provideMerge(Layer.merge(engine, EngineConfig.layer()))
  )

describe("a runner that is lost while it reads", () => {
  for (const [how, faulty] of [
    ["in ranges", []],
    ["also with a page in doubt", [7]]
  ] as const) {
    it.effect(`costs no page and puts none in doubt, ${how}`, () =>
      Effect.gen(function* () {
        const saved: Array<number> = []
        const faults: Array<number> = []
        const reading = readPages({
          pdf,
          head: [],
          pages: Array.from({ length: count }, (_, index) => index + 1),
          pageGate: yield* makePageGates(4).open,
          pageTimeout: Duration.seconds(5),
          turn: { tenant: TenantId.make("acme"), priority: 5 },
          budget: makeRunTimeBudget(Duration.minutes(10)),
          faults: new Map(faulty.map((page) => [page, { failures: 1, deaths: 0 }])),
          onFault: (page) => Effect.sync(() => faults.push(page)),
          checkpoint: (pages) =>
            Effect.sync(() => {
              for (const { number, status } of pages) if (status === "ok") saved.push(number)
            })
        })
        const fiber = yield* Effect.forkChild(Effect.provide(reading, schedulerOver(losing(12, 0))))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(
          saved.toSorted((a, b) => a - b),
          Array.from({ length: count }, (_, index) => index + 1)
        )
        assert.deepStrictEqual(faults, [])
      })
    )
  }

  it.effect("lets another open the file, with its first pages", () =>
    Effect.gen(function* () {
      const gate = yield* makePageGates(4).open
      const turn = { tenant: TenantId.make("acme"), priority: 5 }
      const opening = openPdf(pdf, turn, makeRunTimeBudget(Duration.minutes(1)), gate)
      const fiber = yield* Effect.forkChild(Effect.provide(opening, schedulerOver(losing(0, 2))))
      yield* TestClock.adjust("10 seconds")
      const { opened, suspects } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([opened.pageCount, suspects], [count, []])
      assert.isAbove(opened.head?.length ?? 0, 0)
    })
  )

  it.effect("gives the document back when one after the other is lost with its opening", () =>
    Effect.gen(function* () {
      const gate = yield* makePageGates(4).open
      const turn = { tenant: TenantId.make("acme"), priority: 5 }
      const opening = openPdf(pdf, turn, makeRunTimeBudget(Duration.minutes(1)), gate)
      const engine = schedulerOver(losing(0, Number.POSITIVE_INFINITY))
      const fiber = yield* Effect.forkChild(Effect.provide(Effect.flip(opening), engine))
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "EngineUnavailable")
      assert.include(error.message, "scripted")
    })
  )
})
