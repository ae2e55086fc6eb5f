import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { HandOver } from "../../../src/actors/upkeep/HandOver.ts"
import { defaultLimits } from "../../../src/services/config/EngineConfig.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, bytesOf, makeWorld, startEngine, tenant, until, words, type WorldOptions } from "../../support/engine.ts"

const scripts = {
  /** Ranges of a few pages, a tenth of a second each. */
  steady: soundDocument(100, "100 millis"),
  slow: {
    ...soundDocument(4, "15 seconds"),
    open: () => ({ _tag: "Opens", pageCount: 4, takes: "15 seconds", head: 0 })
  },
  /** Its first page is read with its opening. */
  long: {
    open: () => ({ _tag: "Opens", pageCount: 2 }),
    page: () => ({ _tag: "Page", takes: "8 seconds" })
  },
  stuck: {
    open: () => ({ _tag: "Opens", pageCount: 3 }),
    page: (number: number) => (number === 2 ? { _tag: "Hang" } : { _tag: "Page" })
  },
  short: soundDocument(1)
} satisfies WorldOptions["scripts"]

const graceMillis = Duration.toMillis(defaultLimits.shutdownGrace)

/** Stops the engine in the background. */
const stopping = (stop: Effect.Effect<void>) => Effect.forkChild(stop, { startImmediately: true })

const ended = (fiber: Fiber.Fiber<unknown, unknown>) => Effect.sync(() => fiber.pollUnsafe() !== undefined)

describe("A drain", () => {
  it.effect(
    "reads the ranges in flight to their end, gives the rest back, and the next engine goes on from there",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ scripts })
        const first = yield* world.start
        const { pagesOf, submit } = words(first.ingestion)
        const { id } = yield* submit("steady")
        yield* until(Effect.map(pagesOf(id), (pages) => pages.length >= 10))
        const stop = yield* stopping(first.stop)
        yield* until(ended(stop))

        const document = yield* world.store.find(acme, id)
        assert.deepStrictEqual([document.status, document.attempt], ["queued", 1])
        const done = yield* world.store.pages(acme, id, { from: 1, limit: 1000, detail: false })
        assert.isBelow(done.length, 50)
        const begun = Array.from({ length: 100 }, (_, index) => world.scripted.timesRead(id, index + 1))
        const read = begun.flatMap((times, index) => (times > 0 ? [index + 1] : []))
        assert.deepStrictEqual(
          read,
          done.map((page) => page.number),
          "every page that was begun is checkpointed"
        )

        const second = yield* world.start
        const ending = yield* words(second.ingestion).awaitEnd(id)
        assert.deepStrictEqual([ending.status, ending.attempt, ending.progress.done], ["completed", 2, 100])
        for (let page = 1; page <= 100; page++)
          assert.strictEqual(world.scripted.timesRead(id, page), 1, `page ${page}`)
      })
  )

  it.effect("keeps the leases of what it waits for", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { lease: Duration.seconds(5) } })
      const engine = yield* world.start
      const { submit } = words(engine.ingestion)
      const { id } = yield* submit("slow")
      // Opened after fifteen seconds; then pages are read, each taking fifteen.
      yield* TestClock.adjust("20 seconds")
      const stop = yield* stopping(engine.stop)
      yield* TestClock.adjust("9 seconds")
      yield* world.store.reclaimExpired
      assert.strictEqual((yield* world.store.find(acme, id)).status, "running")
      yield* until(ended(stop), "1 second")
      const document = yield* world.store.find(acme, id)
      assert.deepStrictEqual([document.status, document.progress.done], ["queued", 2])
    })
  )

  it.effect("is over after the grace, and interrupts what has not ended, without condemning it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { pageTimeout: Duration.hours(1) } })
      const engine = yield* world.start
      const { id } = yield* words(engine.ingestion).submit("stuck")
      yield* until(Effect.sync(() => world.scripted.timesRead(id, 2) === 1))
      const stop = yield* stopping(engine.stop)
      yield* TestClock.adjust(graceMillis - 1)
      assert.isUndefined(stop.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(stop)
      const document = yield* world.store.find(acme, id)
      assert.deepStrictEqual([document.status, document.failure], ["queued", undefined])
      assert.strictEqual(world.scripted.working(), 0)
    })
  )

  it.effect("claims nothing that waits, and refuses what comes, while reads are answered", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { tenantDocuments: 1 } })
      const engine = yield* world.start
      const { submit } = words(engine.ingestion)
      const running = yield* submit("slow")
      const waiting = yield* submit("short")
      const other = yield* submit("short", tenant("other"), { name: "other" })
      yield* until(Effect.map(world.store.find(tenant("other"), other.id), ({ status }) => status === "completed"))
      yield* TestClock.adjust("1 second")
      const stop = yield* stopping(engine.stop)

      assert.isFalse(yield* engine.ingestion.accepting)
      const refused = yield* Effect.flip(engine.ingestion.submit(acme, Stream.make(bytesOf("short")), { name: "late" }))
      assert.strictEqual(refused._tag, "ShuttingDown")
      assert.strictEqual((yield* engine.ingestion.status(acme, running.id)).status, "running")
      assert.isUndefined(stop.pollUnsafe())
      yield* until(ended(stop), "1 second")
      const statuses = yield* Effect.forEach([running, waiting], ({ id }) => world.store.find(acme, id))
      assert.deepStrictEqual(
        statuses.map(({ attempt, status }) => [status, attempt]),
        [
          ["queued", 1],
          ["queued", 0]
        ]
      )
    })
  )

  it.effect("gives back at once what waits for a turn of a worker, while others are still read", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, capacity: 1 })
      const engine = yield* world.start
      const { submit } = words(engine.ingestion)
      const reading = yield* submit("long")
      yield* until(Effect.sync(() => world.scripted.timesRead(reading.id, 1) === 1))
      const waiting = yield* submit("long", tenant("other"))
      yield* until(Effect.map(world.store.find(tenant("other"), waiting.id), ({ status }) => status === "running"))
      const stop = yield* stopping(engine.stop)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* world.store.find(tenant("other"), waiting.id)).status, "queued")
      assert.strictEqual((yield* world.store.find(acme, reading.id)).status, "running")
      yield* until(ended(stop), "1 second")
      assert.strictEqual((yield* world.store.find(acme, reading.id)).progress.done, 1)
      assert.strictEqual(world.scripted.timesOpened(waiting.id), 0)
    })
  )

  it.effect("waits for a submission in flight, whose document is durable and stays queued", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts })
      const engine = yield* world.start
      const slowUpload = Stream.make(bytesOf("short")).pipe(Stream.tap(() => Effect.sleep("3 seconds")))
      const submission = yield* Effect.forkChild(engine.ingestion.submit(acme, slowUpload, { name: "slow upload" }), {
        startImmediately: true
      })
      const stop = yield* stopping(engine.stop)
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(stop.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stop)
      const document = yield* Fiber.join(submission)
      assert.strictEqual((yield* world.store.find(acme, document.id)).status, "queued")
    })
  )

  it.effect("hands the tenants over when their ranges have ended, and waits for submissions meanwhile", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts })
      const handedOver: Array<number> = []
      const handOver = Effect.map(Clock.currentTimeMillis, (now) => void handedOver.push(now))
      const engine = yield* Effect.provideService(world.start, HandOver, handOver)
      const slowUpload = Stream.make(bytesOf("short")).pipe(Stream.tap(() => Effect.sleep("3 seconds")))
      yield* Effect.forkChild(engine.ingestion.submit(acme, slowUpload, { name: "slow upload" }), {
        startImmediately: true
      })
      const { id } = yield* words(engine.ingestion).submit("steady")
      yield* until(Effect.sync(() => world.scripted.timesRead(id, 1) === 1))
      const from = yield* Clock.currentTimeMillis
      const stop = yield* stopping(engine.stop)
      yield* TestClock.adjust("1 second")
      const [at, ...others] = handedOver
      assert.deepStrictEqual(others, [])
      assert.isBelow((at ?? Number.NaN) - from, 300)
      assert.strictEqual((yield* world.store.find(acme, id)).status, "queued")
      assert.isUndefined(stop.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(stop)
    })
  )

  it.effect("hands the tenants over soon though a page takes longer", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts, limits: { pageTimeout: Duration.hours(1) } })
      let handedOver = 0
      const handOver = Effect.sync(() => void handedOver++)
      const engine = yield* Effect.provideService(world.start, HandOver, handOver)
      const { id } = yield* words(engine.ingestion).submit("stuck")
      yield* until(Effect.sync(() => world.scripted.timesRead(id, 2) === 1))
      const stop = yield* stopping(engine.stop)
      yield* TestClock.adjust("299 millis")
      assert.strictEqual(handedOver, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(handedOver, 1)
      yield* TestClock.adjust(graceMillis - 300)
      yield* Fiber.join(stop)
      assert.strictEqual(handedOver, 1)
    })
  )

  it.effect("of an idle engine takes no time", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("short")
      yield* engine.awaitEnd(id)
      yield* engine.stop
    })
  )
})
