import { assert, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schedule, Stream } from "effect"
import { PdfEngine } from "../../../src/services/PdfEngine.ts"
import { pdfEngineConformance, untilReady } from "../../conformance/pdfEngine.ts"
import { brokenPage, flateBomb, makePdf, manyPages, spinningPage, textPage } from "../../support/pdf.ts"
import { engineWith, inMemory, isRunning, pdfOf, read, statusWhen, twoWorkers } from "./engine.ts"

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

layer(twoWorkers, { excludeTestServices: true })("The page workers", (it) => {
  pdfEngineConformance(it, {
    document: (key, pages) => pdfOf(key, inMemory(manyPages(pages))),
    unreadable: (key) => pdfOf(key, inMemory(new TextEncoder().encode("<html></html>")))
  })

  it.effect("deliver the other pages when one is broken", () =>
    Effect.gen(function* () {
      const pdf = makePdf({ pages: [textPage(["first"]), brokenPage, textPage(["third"])] })
      const results = yield* read(pdfOf("broken", inMemory(pdf)), [1, 2, 3])
      assert.deepStrictEqual(
        results.map((result) => result.status),
        ["ok", "failed", "ok"]
      )
    })
  )

  it.effect("report the death of one of them, and the next call is served", () =>
    Effect.gen(function* () {
      // A worker may still be letting go of what an earlier test interrupted.
      const before = yield* statusWhen((status) => !status.workers.some((worker) => worker.busy))
      const reading = yield* Effect.forkChild(Effect.flip(read(pdfOf("killed", inMemory(spinningPage())), [1])))
      const { workers } = yield* statusWhen((status) => status.workers.some((worker) => worker.busy))
      const busy = workers.find((worker) => worker.busy)
      assert.isDefined(busy)
      process.kill(busy.pid, "SIGKILL")
      const { reason } = yield* Fiber.join(reading)
      assert.deepStrictEqual([reason._tag, reason._tag === "WorkerDied" && reason.memory], ["WorkerDied", false])
      assert.strictEqual((yield* read(pdfOf("after", inMemory(manyPages(3))), [1, 2, 3])).length, 3)
      const after = yield* statusWhen((status) => status.replaced > before.replaced && status.workers.length === 3)
      assert.isFalse(after.workers.some((worker) => worker.pid === busy.pid))
    })
  )

  it.effect("end a page that never ends when its call is interrupted", () =>
    Effect.gen(function* () {
      yield* statusWhen((status) => !status.workers.some((worker) => worker.busy))
      const reading = yield* Effect.forkChild(read(pdfOf("spinning", inMemory(spinningPage())), [1]))
      const { workers } = yield* statusWhen((status) => status.workers.some((worker) => worker.busy))
      const busy = workers.find((worker) => worker.busy)
      assert.isDefined(busy)
      const engine = yield* PdfEngine
      yield* untilReady(engine.capacity)
      yield* Fiber.interrupt(reading)
      assert.strictEqual(engine.ready(), engine.capacity - 1)
      yield* untilReady(engine.capacity)
      yield* statusWhen((status) => !status.workers.some((worker) => worker.busy))
      assert.strictEqual((yield* read(pdfOf("next", inMemory(manyPages(2))), [1, 2])).length, 2)
      yield* statusWhen(() => !isRunning(busy.pid))
    })
  )

  it.effect("keep a worker whose interrupted call stops when it is asked to", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const before = yield* statusWhen((status) => status.workers.length === 3)
      const pdf = pdfOf("stopped", inMemory(manyPages(500)))
      yield* engine.read(pdf, upTo(500), 1).pipe(Stream.take(1), Stream.runDrain)
      yield* statusWhen((status) => !status.workers.some((worker) => worker.busy))
      assert.strictEqual((yield* engine.status).replaced, before.replaced)
      assert.strictEqual((yield* read(pdf, [1, 2])).length, 2)
    })
  )

  it.effect("hold a decompression bomb at their memory limit, away from this process", () =>
    Effect.gen(function* () {
      const before = process.memoryUsage.rss()
      const pdf = pdfOf("bomb", inMemory(flateBomb(8 * 1024 ** 3)))
      const outcome = yield* read(pdf, [1]).pipe(
        Effect.map((results) => results[0]?.error?.code),
        Effect.catchReason("PdfEngineError", "WorkerDied", (reason) =>
          Effect.succeed(reason.memory ? "RESOURCE_LIMIT" : reason.detail)
        )
      )
      assert.strictEqual(outcome, "RESOURCE_LIMIT")
      // A sixteenth of what it would take here.
      assert.isBelow(process.memoryUsage.rss() - before, 512 * 1024 ** 2)
    })
  )
})

it.live("A worker that has read its share of pages is replaced while the others go on", () =>
  Effect.gen(function* () {
    const engine = yield* PdfEngine
    const first = yield* statusWhen((status) => status.workers.length === 2)
    const pdf = pdfOf("many", inMemory(manyPages(20)))
    assert.strictEqual((yield* read(pdf, upTo(20))).length, 20)
    assert.strictEqual((yield* read(pdf, upTo(20))).length, 20)
    const later = yield* statusWhen((status) => status.replaced === 2 && status.workers.length === 2)
    const pids = new Set(first.workers.map((worker) => worker.pid))
    assert.isFalse(later.workers.some((worker) => pids.has(worker.pid)))
    assert.strictEqual(engine.capacity, 1)
  }).pipe(Effect.provide(engineWith({ workers: 1, recycleAfterPages: 10 })))
)

it.live("Page workers are ready when they have started, and not before", () =>
  Effect.gen(function* () {
    const engine = yield* PdfEngine
    assert.strictEqual(engine.ready(), 0)
    yield* untilReady(1)
    assert.strictEqual((yield* engine.open(pdfOf("at once", inMemory(manyPages(1))))).pageCount, 1)
    assert.strictEqual(engine.ready(), 1)
  }).pipe(Effect.provide(engineWith({ workers: 1 })))
)

it.live("Workers that cannot start are reported instead of being waited for", () =>
  Effect.gen(function* () {
    const failed = yield* Effect.flip(read(pdfOf("never", inMemory(manyPages(1))), [1]))
    assert.include(failed.message, "no page worker can be had")
    const engine = yield* PdfEngine
    assert.strictEqual(engine.ready(), engine.capacity)
  }).pipe(Effect.provide(engineWith({ workers: 1, memoryBytes: 16 * 1024 ** 2 })))
)

it.live("Releasing the engine leaves no worker, not even one that is busy", () =>
  Effect.gen(function* () {
    const pids = yield* Deferred.make<ReadonlyArray<number>>()
    yield* Effect.gen(function* () {
      yield* Effect.forkChild(read(pdfOf("spinning", inMemory(spinningPage())), [1]))
      const status = yield* statusWhen(({ workers }) => workers.length === 3 && workers.some((worker) => worker.busy))
      yield* Deferred.succeed(
        pids,
        status.workers.map((worker) => worker.pid)
      )
    }).pipe(Effect.provide(twoWorkers))
    const workers = yield* Deferred.await(pids)
    // In a process namespace they are ended with its first process, by the system, and may take a moment.
    yield* Effect.sync(() => workers.some(isRunning)).pipe(
      Effect.repeat({ until: (some) => !some, schedule: Schedule.spaced("10 millis") })
    )
  })
)
