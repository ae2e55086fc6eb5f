import { assert } from "@effect/vitest"
import type { Vitest } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import type { PageResult } from "../../src/domain/document/Page.ts"
import type { PdfRef } from "../../src/services/PdfEngine.ts"
import { PdfEngine } from "../../src/services/PdfEngine.ts"

/** Documents for the engine under test. A key names one document. */
export interface EngineFixtures {
  /** A sound document whose pages say "Page 1 of n", "Page 2 of n" and so on. */
  readonly document: (key: string, pages: number) => PdfRef
  /** What is no PDF. */
  readonly unreadable: (key: string) => PdfRef
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** Waits until so many calls need not wait for a worker, as the engine tells it. */
export const untilReady = Effect.fnUntraced(function* (calls: number) {
  const engine = yield* PdfEngine
  const enough = yield* Deferred.make<void>()
  const look = () => {
    if (engine.ready() >= calls) Deferred.doneUnsafe(enough, Effect.void)
  }
  yield* engine.onReady(look)
  look()
  yield* Deferred.await(enough)
}, Effect.scoped)

/** What every engine promises. */
export const pdfEngineConformance = (it: Vitest.MethodsNonLive<PdfEngine>, fixtures: EngineFixtures) => {
  it.effect("say how many pages there are", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      assert.strictEqual((yield* engine.open(fixtures.document("counted", 7))).pageCount, 7)
    })
  )

  it.effect("read no page with the opening unless some are wanted", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = fixtures.document("headless", 5)
      for (const head of [undefined, { pages: 0, concurrency: 4 }]) {
        assert.deepStrictEqual((yield* engine.open(pdf, head)).head ?? [], [])
      }
    })
  )

  it.effect("read some of the first pages with the opening, like any others, and tell what that took", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      for (const [pages, wanted, concurrency] of [
        [1, 8, 4],
        [3, 8, 1],
        [40, 8, 4],
        [40, 1, 4]
      ] as const) {
        const pdf = fixtures.document(`head of ${pages}, ${wanted}`, pages)
        const opened = yield* engine.open(pdf, { pages: wanted, concurrency })
        const head = (opened.head ?? []).toSorted((a, b) => a.number - b.number)
        assert.strictEqual(opened.pageCount, pages)
        assert.isAtLeast(head.length, 1)
        assert.isAtMost(head.length, Math.min(pages, wanted))
        assert.isAtLeast(opened.headMillis ?? Number.NaN, 0)
        const read = yield* Stream.runCollect(engine.read(pdf, upTo(head.length), 1))
        const timeless = (results: ReadonlyArray<PageResult>) =>
          results.map((result) => ({ ...result, elapsedMillis: 0 }))
        assert.deepStrictEqual(timeless(head), timeless(read))
      }
    })
  )

  it.effect("read each page asked for once", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const results = yield* Stream.runCollect(engine.read(fixtures.document("read", 40), upTo(40), 4))
      const sorted = results.toSorted((a, b) => a.number - b.number)
      assert.deepStrictEqual(
        sorted.map((page) => page.number),
        upTo(40)
      )
      assert.isTrue(sorted.every((page) => page.status === "ok"))
      assert.strictEqual(sorted[11]?.text.trim(), "Page 12 of 40")
    })
  )

  it.effect("read no page when none is asked for", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      assert.deepStrictEqual(yield* Stream.runCollect(engine.read(fixtures.document("none", 3), [], 4)), [])
    })
  )

  it.effect("read ranges of one document beside each other", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = fixtures.document("ranges", 60)
      const ranges = [upTo(30), upTo(60).slice(30)]
      const results = yield* Effect.forEach(ranges, (range) => Stream.runCollect(engine.read(pdf, range, 3)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(results.flat().map((page) => page.number)).size, 60)
    })
  )

  it.effect("refuse what is no PDF, to open and to read", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = fixtures.unreadable("unreadable")
      const opening = yield* Effect.flip(engine.open(pdf))
      const withHead = yield* Effect.flip(engine.open(pdf, { pages: 8, concurrency: 4 }))
      const reading = yield* Effect.flip(Stream.runCollect(engine.read(pdf, [1], 1)))
      for (const { reason } of [opening, withHead, reading]) {
        assert.strictEqual(reason._tag === "PdfUnreadable" && reason.failure.code, "NOT_PDF")
      }
    })
  )

  it.effect("serve more calls than they have workers", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const calls = upTo(engine.capacity * 4)
      const counts = yield* Effect.forEach(
        calls,
        (call) => Effect.map(engine.open(fixtures.document(`call ${call}`, call)), (opened) => opened.pageCount),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(counts, calls)
    })
  )

  it.effect("forget a document and open it again", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = fixtures.document("closed", 2)
      yield* engine.open(pdf)
      yield* engine.close("closed")
      assert.strictEqual((yield* Stream.runCollect(engine.read(pdf, [2], 1))).length, 1)
    })
  )

  it.effect("are free for others once a call is interrupted, while it waits and while it works", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = fixtures.document("interrupted", 200)
      const calls = yield* Effect.forEach(upTo(engine.capacity * 2), () =>
        Effect.forkChild(Stream.runDrain(engine.read(pdf, upTo(200), 1)), { startImmediately: true })
      )
      yield* Fiber.interruptAll(calls)
      assert.strictEqual((yield* engine.open(pdf)).pageCount, 200)
    })
  )

  it.effect("have a worker for each call within their capacity in the end, and tell when", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      yield* untilReady(engine.capacity)
      assert.strictEqual(engine.ready(), engine.capacity)
    })
  )

  it.effect("count workers that are at work as ready, and never more than their capacity", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      yield* untilReady(engine.capacity)
      const seen: Array<number> = []
      yield* engine.onReady(() => seen.push(engine.ready()))
      yield* Effect.forEach(
        upTo(engine.capacity * 2),
        (call) =>
          Stream.runForEach(engine.read(fixtures.document(`ready ${call}`, 5), upTo(5), 1), () =>
            Effect.sync(() => seen.push(engine.ready()))
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(seen), new Set([engine.capacity]))
    })
  )

  it.effect("are ready for others again once interrupted calls have stopped, and tell when", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = fixtures.document("stopped early", 200)
      const calls = yield* Effect.forEach(upTo(engine.capacity), () =>
        Effect.forkChild(Stream.runDrain(engine.read(pdf, upTo(200), 1)), { startImmediately: true })
      )
      yield* Fiber.interruptAll(calls)
      yield* untilReady(engine.capacity)
      assert.strictEqual(engine.ready(), engine.capacity)
    })
  )
}
