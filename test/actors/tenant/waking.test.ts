import { assert, describe, it } from "@effect/vitest"
import { DateTime, Deferred, Duration, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, startEngine, tenant, until } from "../../support/engine.ts"

const scripts = {
  short: soundDocument(3, "10 millis"),
  long: soundDocument(100, "100 millis")
}

describe("a tenant's actor", () => {
  it.effect("starts a scheduled document when its time has come, and not before", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id, status } = yield* engine.submit("short", acme, { notBefore: DateTime.makeUnsafe(3_600_000) })
      assert.strictEqual(status, "scheduled")
      yield* TestClock.adjust("3599 seconds")
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).status, "scheduled")
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).status, "completed")
    })
  )

  it.effect("starts documents by priority, then by age", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 1 } })
      const started: Array<string> = []
      const live = yield* engine.events.subscribe
      const note = (event: IngestEvent) =>
        Effect.sync(() => {
          if (event._tag === "DocumentStarted") started.push(event.documentId)
        })
      yield* Effect.forkChild(Stream.runForEach(live, note))
      const names = new Map<string, string>()
      for (const [name, priority] of [
        ["first", 5],
        ["old", 1],
        ["low", 1],
        ["urgent", 9],
        ["usual", 5]
      ] as const) {
        names.set((yield* engine.submit("short", acme, { priority })).id, name)
        yield* TestClock.adjust("5 millis")
      }
      yield* until(Effect.map(engine.store.stats(), ({ processed }) => processed === 5))
      assert.deepStrictEqual(
        started.map((id) => names.get(id)),
        ["first", "urgent", "usual", "old", "low"]
      )
    })
  )

  it.effect("makes senders wait when its mailbox is full, and loses nothing", () =>
    Effect.gen(function* () {
      const blocked = yield* Deferred.make<void>()
      const engine = yield* startEngine({
        scripts,
        limits: { mailboxCapacity: 2 },
        slowRegistry: Deferred.await(blocked)
      })
      let told = 0
      const tell = Effect.tap(engine.directory.tell(acme, { _tag: "Wake" }), () => Effect.sync(() => told++))
      yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 20 }, () => tell),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 second")
      assert.isAtMost(told, 3)
      yield* Deferred.succeed(blocked, undefined)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([told, yield* engine.directory.waiting], [20, 0])
      const { id } = yield* engine.submit("short")
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
    })
  )

  it.effect("is forgotten when it is idle, and started again by the next submission", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantIdle: Duration.minutes(1) } })
      for (let round = 0; round < 3; round++) {
        const { id } = yield* engine.submit("short")
        assert.strictEqual(yield* engine.directory.active, 1)
        assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
        yield* TestClock.adjust("70 seconds")
        assert.strictEqual(yield* engine.directory.active, 0)
      }
    })
  )

  it.effect("is not forgotten while it has documents", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantIdle: Duration.seconds(1) } })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* engine.directory.active, 1)
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 1])
    })
  )

  it.effect("hears a submission that comes at the very moment it is forgotten", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantIdle: Duration.millis(50) } })
      for (let round = 1; round <= 200; round++) {
        const sent = yield* Effect.forkChild(Effect.andThen(Effect.sleep("50 millis"), engine.submit("short")))
        const delayed = yield* Effect.forkChild(
          Effect.andThen(Effect.sleep(`${30 + (round % 40)} millis`), engine.submit("short"))
        )
        yield* TestClock.adjust("500 millis")
        assert.isDefined(sent.pollUnsafe())
        assert.isDefined(delayed.pollUnsafe())
        assert.strictEqual((yield* engine.store.stats(acme)).processed, 2 * round)
      }
    })
  )

  it.effect("is one of many, none of which stays behind", () =>
    Effect.gen(function* () {
      const limits = { tenantIdle: Duration.seconds(10), globalDocuments: 50 }
      const engine = yield* startEngine({ scripts, limits, capacity: 8 })
      for (let n = 0; n < 500; n++) yield* engine.submit("short", tenant(`t${n}`))
      yield* until(
        Effect.map(engine.store.stats(), ({ processed }) => processed === 500),
        "100 millis"
      )
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual([yield* engine.directory.active, yield* engine.directory.waiting], [0, 0])
    })
  )
})
