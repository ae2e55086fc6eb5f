import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../../src/domain/Failure.ts"
import { type ScriptedDocument, type ScriptedPage, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, bytesOf, letPass, makeWorld, startEngine, tenant, until, words } from "../../support/engine.ts"

const ten = soundDocument(10, "10 millis")
const read: ScriptedPage = { _tag: "Page", takes: "10 millis" }
const unreadable: ScriptedPage = { _tag: "Failed", error: failure("PAGE_UNREADABLE", "its content is damaged") }
const tenBut = (others: Readonly<Record<number, (before: number) => ScriptedPage>>): ScriptedDocument => ({
  ...ten,
  page: (number, before) => others[number]?.(before) ?? read
})

const scripts: Record<string, ScriptedDocument> = {
  ten,
  // Three failures condemn a page; the fourth reading succeeds.
  healed: tenBut({ 4: (before) => (before < 3 ? unreadable : read), 5: (before) => (before < 3 ? unreadable : read) }),
  locked: {
    ...ten,
    open: (before) =>
      before === 0
        ? { _tag: "Unreadable", failure: failure("PASSWORD_INVALID", "wrong") }
        : { _tag: "Opens", pageCount: 10 }
  },
  deadly: tenBut({ 4: () => ({ _tag: "Death" }) }),
  slow: soundDocument(10, "1 second"),
  // Page 4 fails at once, page 10 keeps the document running for long.
  halting: tenBut({ 4: () => unreadable, 10: () => ({ _tag: "Page", takes: "20 seconds" }) })
}

describe("the same bytes once more", () => {
  it.effect("are answered with the document that runs, and then with its result", () =>
    Effect.gen(function* () {
      const { awaitEnd, ingestion, scripted, submit } = yield* startEngine({ scripts })
      const first = yield* submit("ten", acme, { force: false })
      assert.isUndefined(first.duplicateOf)
      const attached = yield* submit("ten", acme, { force: false, priority: 9 })
      assert.deepStrictEqual([attached.id, attached.duplicateOf], [first.id, first.id])
      assert.strictEqual((yield* awaitEnd(attached.id)).status, "completed")
      const answered = yield* submit("ten", acme, { force: false })
      assert.deepStrictEqual(
        [answered.duplicateOf, answered.status, answered.progress.done],
        [first.id, "completed", 10]
      )
      assert.strictEqual(scripted.timesOpened(first.id), 1)
      assert.strictEqual((yield* ingestion.queueStatus()).processed, 1)
    })
  )

  it.effect("make one document, however many arrive at once", () =>
    Effect.gen(function* () {
      const { submit } = yield* startEngine({ scripts })
      const all = yield* Effect.forEach(Array.from({ length: 50 }), () => submit("ten", acme, { force: false }), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(all.map(({ id }) => id)).size, 1)
      assert.strictEqual(all.filter(({ duplicateOf }) => duplicateOf === undefined).length, 1)
    })
  )

  it.effect("make a new document by force, with another password, or for another tenant", () =>
    Effect.gen(function* () {
      const { submit } = yield* startEngine({ scripts })
      const password = (text: string) => ({ force: false, password: Redacted.make(text) })
      const ids = [
        yield* submit("ten", acme, { force: false }),
        yield* submit("ten", acme, { force: true }),
        yield* submit("ten", acme, password("a")),
        yield* submit("ten", acme, password("b")),
        yield* submit("ten", tenant("globex"), password("a"))
      ].map(({ id }) => id)
      assert.strictEqual(new Set(ids).size, 5)
      assert.strictEqual((yield* submit("ten", acme, password("b"))).id, ids[3])
    })
  )

  it.effect("keep a submission from being withdrawn, whose bytes then stay, too", () =>
    Effect.gen(function* () {
      const { blobs, ingestion, submit } = yield* startEngine({ scripts, limits: { tenantDocuments: 1 } })
      yield* submit("slow")
      const alone = yield* submit("halting", acme, { force: false })
      yield* ingestion.withdraw(acme, alone.id)
      assert.strictEqual((yield* Effect.flip(ingestion.status(acme, alone.id)))._tag, "DocumentNotFound")
      assert.strictEqual((yield* Stream.runCollect(blobs.list)).length, 1)
      const shared = yield* submit("ten", acme, { force: false })
      yield* submit("ten", acme, { force: false })
      yield* ingestion.withdraw(acme, shared.id)
      assert.strictEqual((yield* ingestion.status(acme, shared.id)).status, "queued")
    })
  )
})

describe("a retry", () => {
  it.effect("reads the failed pages again, and no others", () =>
    Effect.gen(function* () {
      const { awaitEnd, followed, ingestion, pagesOf, scripted, submit } = yield* startEngine({ scripts })
      const { id } = yield* submit("healed")
      const before = yield* awaitEnd(id)
      assert.deepStrictEqual([before.status, before.progress], ["partial", { pages: 10, done: 10, failed: 2 }])
      const queued = yield* ingestion.retry(acme, id)
      assert.deepStrictEqual([queued.status, queued.progress], ["queued", { pages: 10, done: 8, failed: 0 }])
      const events = yield* followed(id)
      const after = yield* awaitEnd(id)
      assert.deepStrictEqual([after.status, after.retries, after.attempt], ["completed", 1, 2])
      assert.deepStrictEqual(after.progress, { pages: 10, done: 10, failed: 0 })
      assert.deepStrictEqual([scripted.timesRead(id, 4), scripted.timesRead(id, 1)], [4, 1])
      assert.strictEqual((yield* pagesOf(id)).length, 10)
      assert.strictEqual((yield* Fiber.join(events)).at(-1)?._tag, "DocumentEnded")
      assert.strictEqual((yield* Effect.flip(ingestion.retry(acme, id)))._tag, "NotRetryable")
    })
  )

  it.effect("tells that the document was queued again", () =>
    Effect.gen(function* () {
      const { awaitEnd, ingestion, submit } = yield* startEngine({ scripts })
      const { id } = yield* submit("healed")
      yield* awaitEnd(id)
      const next = yield* Effect.forkChild(Stream.runHead(ingestion.events(acme)), { startImmediately: true })
      yield* ingestion.retry(acme, id)
      assert.strictEqual(Option.getOrThrow(yield* Fiber.join(next))._tag, "DocumentRequeued")
    })
  )

  it.effect("opens a document that failed for its password with another one", () =>
    Effect.gen(function* () {
      const { awaitEnd, ingestion, submit } = yield* startEngine({ scripts })
      const { id } = yield* submit("locked", acme, { password: Redacted.make("wrong") })
      assert.strictEqual((yield* awaitEnd(id)).failure?.code, "PASSWORD_INVALID")
      assert.deepInclude(yield* Effect.flip(ingestion.retry(acme, id)), { _tag: "NotRetryable", why: "password" })
      yield* ingestion.retry(acme, id, { password: Redacted.make("right") })
      const after = yield* awaitEnd(id)
      assert.deepStrictEqual([after.status, after.failure], ["completed", undefined])
    })
  )
})

describe("what earlier runs found", () => {
  it.effect("counts against a page that kills its workers, over restarts", () =>
    Effect.gen(function* () {
      // After each first death of the page the engine stops: without a memory it would begin anew for ever.
      const { scripted, start, store } = yield* makeWorld({ scripts, capacity: 1, limits: { documentPages: 1 } })
      const one = yield* start
      const { id } = yield* words(one.ingestion).submit("deadly")
      yield* until(
        Effect.sync(() => scripted.timesRead(id, 4) >= 2),
        "5 millis"
      )
      yield* letPass(yield* Effect.forkChild(one.stop))
      const before = yield* store.find(acme, id)
      assert.deepStrictEqual([before.status, before.interruptions], ["queued", 1])
      const two = yield* start
      const after = yield* words(two.ingestion).awaitEnd(id)
      assert.deepStrictEqual([after.status, after.progress], ["partial", { pages: 10, done: 10, failed: 1 }])
      assert.isAtMost(scripted.timesRead(id, 4), 4)
    })
  )

  it.effect("counts against a page that keeps failing", () =>
    Effect.gen(function* () {
      const { scripted, start } = yield* makeWorld({ scripts })
      const one = yield* start
      const { id } = yield* words(one.ingestion).submit("halting")
      yield* until(
        Effect.sync(() => scripted.timesRead(id, 4) === 2),
        "5 millis"
      )
      yield* letPass(yield* Effect.forkChild(one.stop))
      const two = yield* start
      const after = yield* words(two.ingestion).awaitEnd(id)
      assert.deepStrictEqual([after.status, after.progress.failed], ["partial", 1])
      assert.isAtMost(scripted.timesRead(id, 4), 4)
    })
  )
})

describe("the time a document may wait", () => {
  it.effect("ends it as expired, and leaves alone what runs", () =>
    Effect.gen(function* () {
      const limits = { queueTtl: Duration.seconds(5), tenantDocuments: 1, documentPages: 1 }
      const { awaitEnd, followed, ingestion, submit } = yield* startEngine({ scripts, limits, capacity: 1 })
      const running = yield* submit("slow")
      const waiting = yield* submit("slow")
      const events = yield* followed(waiting.id)
      const expired = yield* awaitEnd(waiting.id)
      assert.deepStrictEqual([expired.status, expired.failure?.code, expired.attempt], ["failed", "EXPIRED", 0])
      assert.strictEqual((yield* Fiber.join(events)).at(-1)?._tag, "DocumentEnded")
      assert.strictEqual((yield* ingestion.status(acme, running.id)).status, "running")
      assert.strictEqual((yield* awaitEnd(running.id)).status, "completed")
    })
  )
})

describe("a paused tenant", () => {
  it.effect("starts nothing, also after a restart, until it is resumed; what runs goes on", () =>
    Effect.gen(function* () {
      const { start } = yield* makeWorld({ scripts, limits: { tenantDocuments: 1 } })
      const one = yield* start
      const first = words(one.ingestion)
      const running = yield* first.submit("slow")
      yield* until(Effect.map(one.ingestion.status(acme, running.id), ({ status }) => status === "running"))
      yield* one.ingestion.pause(acme)
      const waiting = yield* first.submit("ten")
      assert.strictEqual((yield* first.awaitEnd(running.id)).status, "completed")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* one.ingestion.status(acme, waiting.id)).status, "queued")
      assert.isTrue((yield* one.ingestion.queueStatus(acme)).paused)
      const other = yield* first.submit("ten", tenant("globex"))
      assert.strictEqual((yield* first.awaitEnd(other.id, tenant("globex"))).status, "completed")
      yield* letPass(yield* Effect.forkChild(one.stop))
      const two = yield* start
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* two.ingestion.status(acme, waiting.id)).status, "queued")
      yield* two.ingestion.resume(acme)
      assert.strictEqual((yield* words(two.ingestion).awaitEnd(waiting.id)).status, "completed")
      assert.isFalse((yield* two.ingestion.queueStatus(acme)).paused)
    })
  )
})

describe("the retention", () => {
  it.effect("removes documents with their blobs when their time is over", () =>
    Effect.gen(function* () {
      const { awaitEnd, blobs, ingestion, submit } = yield* startEngine({
        scripts,
        limits: { retention: Duration.hours(1) }
      })
      const { id } = yield* submit("ten")
      yield* awaitEnd(id)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* ingestion.status(acme, id)).status, "completed")
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual((yield* Effect.flip(ingestion.status(acme, id)))._tag, "DocumentNotFound")
      assert.deepStrictEqual(yield* Stream.runCollect(blobs.list), [])
      const anew = yield* ingestion.submit(acme, Stream.make(bytesOf("ten")), { name: "ten.pdf" })
      assert.isUndefined(anew.duplicateOf)
    })
  )
})
