import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../../src/domain/Failure.ts"
import type { DocumentId, TenantId } from "../../../src/domain/Ids.ts"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { SourceUnavailable } from "../../../src/services/Sources.ts"
import { acme, startEngine, tenant } from "../../support/engine.ts"

const pages = (pageCount: number, millis: number): ScriptedDocument => ({
  ...soundDocument(pageCount, `${millis} millis`),
  open: () => ({ _tag: "Opens", pageCount, takes: "5 millis" })
})

const sizes = [4, 7, 10, 13, 16, 20, 24, 30]
const mixed = Object.fromEntries([
  ...sizes.map((size) => [`report${size}`, pages(size, 20)] as const),
  ["note", pages(1, 15)],
  ["book", pages(400, 12)]
])
const scripts = { ...mixed, endless: pages(10_000, 100) }
const [reports, notes, books] = [tenant("reports"), tenant("notes"), tenant("books")]

type Engine = Effect.Success<ReturnType<typeof startEngine>>

const waitingOf = (engine: Engine, id: DocumentId, owner = acme) =>
  Effect.map(engine.ingestion.status(owner, id), (document) => document.waiting)

describe("why a document waits", () => {
  it.effect("is told until it has ended", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("note")
      const before = yield* waitingOf(engine, id)
      assert.isDefined(before)
      assert.isUndefined((yield* engine.awaitEnd(id)).waiting)
    })
  )

  it.effect("is the page gate while it is read", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("endless")
      yield* TestClock.adjust("1 second")
      const waiting = yield* waitingOf(engine, id)
      assert.strictEqual(waiting?.gate, "page")
      assert.isDefined(waiting?.eta)
      assert.isUndefined(waiting?.position)
    })
  )

  it.effect("is the tenant gate once its tenant has as many documents open as it may", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 2, globalDocuments: 8 } })
      yield* engine.submit("endless")
      yield* engine.submit("endless")
      yield* TestClock.adjust("1 second")
      const { id } = yield* engine.submit("note")
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* waitingOf(engine, id), { gate: "tenant", position: 1, pagesAhead: 0 })
    })
  )

  it.effect("is the global gate while the engine has as many documents open as it may", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { tenantDocuments: 2, globalDocuments: 1 } })
      yield* engine.submit("endless", tenant("other"), { priority: 9 })
      const { id } = yield* engine.submit("note")
      assert.deepInclude(yield* waitingOf(engine, id), { gate: "global", position: 1 })
    })
  )

  it.effect("is the schedule until the time has come, and the estimate begins there", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const notBefore = DateTime.makeUnsafe(3_600_000)
      const { id } = yield* engine.submit("note", acme, { notBefore })
      const waiting = yield* waitingOf(engine, id)
      assert.strictEqual(waiting?.gate, "schedule")
      assert.isUndefined(waiting?.position)
      assert.isAtLeast(waiting?.eta?.low.epochMilliseconds ?? 0, 3_600_000)
    })
  )

  it.effect("is the pause of its tenant, which nobody knows the end of", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      yield* engine.ingestion.pause(acme)
      const { id } = yield* engine.submit("note")
      assert.deepStrictEqual(yield* waitingOf(engine, id), { gate: "paused", position: 1, pagesAhead: 0 })
    })
  )

  it.effect("is still the schedule of a paused tenant, with no end either", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("note", acme, { notBefore: DateTime.makeUnsafe(3_600_000) })
      yield* engine.ingestion.pause(acme)
      assert.deepStrictEqual(yield* waitingOf(engine, id), { gate: "schedule" })
      yield* engine.ingestion.resume(acme)
      assert.isDefined((yield* waitingOf(engine, id))?.eta)
    })
  )

  it.effect("keeps its end when the tenant is paused while it is read, as it is read on", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { id } = yield* engine.submit("book")
      yield* TestClock.adjust("1 second")
      yield* engine.ingestion.pause(acme)
      const waiting = yield* waitingOf(engine, id)
      assert.strictEqual(waiting?.gate, "page")
      assert.isDefined(waiting?.eta)
    })
  )

  it.effect("is the next attempt while its source is away", () =>
    Effect.gen(function* () {
      const away = new SourceUnavailable({
        failure: failure("SOURCE_UNAVAILABLE", "the server is down"),
        retryable: true
      })
      const engine = yield* startEngine({
        scripts,
        sources: {
          resolve: (url) => Effect.succeed({ _tag: "Url", url, name: "remote.pdf" }),
          fetch: () => Stream.fail(away)
        }
      })
      const { id } = yield* engine.ingestion.submitSource(acme, "https://pdf.test/remote.pdf", {})
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(yield* waitingOf(engine, id), { gate: "retry" })
    })
  )
})

interface Expected {
  readonly id: DocumentId
  readonly owner: TenantId
  readonly low: number
  readonly high: number
}

/** Three tenants of different habits and weights, after they have been seen once. */
const mixedLoad = Effect.gen(function* () {
  const engine = yield* startEngine({
    scripts,
    capacity: 4,
    limits: { globalDocuments: 6, tenantDocuments: 3 },
    tenants: { [reports]: { weight: 2 } }
  })
  const submitAll = Effect.fnUntraced(function* (rounds: number) {
    const submitted: Array<{ readonly id: DocumentId; readonly owner: TenantId }> = []
    const add = (script: string, owner: TenantId) =>
      Effect.map(engine.submit(script, owner), ({ id }) => submitted.push({ id, owner }))
    for (let round = 0; round < rounds; round++) {
      for (const size of sizes) yield* add(`report${size}`, reports)
      for (let note = 0; note < 10; note++) yield* add("note", notes)
      yield* add("book", books)
    }
    return submitted
  })
  const statuses = (documents: ReadonlyArray<{ readonly id: DocumentId; readonly owner: TenantId }>) =>
    Effect.forEach(documents, ({ id, owner }) => engine.ingestion.status(owner, id))
  for (const { id, owner } of yield* submitAll(1)) yield* engine.awaitEnd(id, owner)
  return { engine, submitAll, statuses }
})

describe("the estimate", () => {
  it.effect("contains the real end of at least nine documents of ten, in a mixed load of three tenants", () =>
    Effect.gen(function* () {
      const { engine, statuses, submitAll } = yield* mixedLoad
      const submitted = yield* submitAll(8)
      yield* TestClock.adjust("500 millis")
      const expected: Array<Expected> = []
      const begun = yield* Clock.currentTimeMillis
      for (const document of yield* statuses(submitted)) {
        const eta = document.waiting?.eta
        if (eta === undefined) continue
        const [low, high] = [eta.low.epochMilliseconds, eta.high.epochMilliseconds]
        expected.push({ id: document.id, owner: document.tenantId, low, high })
      }
      assert.isAbove(expected.length, 100)
      const missed: Array<unknown> = []
      const widths: Array<number> = []
      for (const { high, id, low, owner } of expected) {
        const { timings } = yield* engine.awaitEnd(id, owner, "200 millis")
        const end = timings.finishedAt?.epochMilliseconds ?? 0
        if (end < low || end > high) missed.push({ owner, end: end - begun, low: low - begun, high: high - begun })
        widths.push((high - low) / Math.max(500, end - begun))
      }
      const width = widths.toSorted((a, b) => a - b)[Math.floor(widths.length / 2)] ?? 0
      assert.isAtMost(missed.length, expected.length / 10, JSON.stringify(missed))
      assert.isBelow(width, 2)
    })
  )

  it.effect("counts down: position and pages ahead never grow while nobody comes before", () =>
    Effect.gen(function* () {
      const { engine, submitAll } = yield* mixedLoad
      yield* submitAll(3)
      const { id } = yield* engine.submit("report10", reports)
      let last = yield* waitingOf(engine, id, reports)
      assert.isAtLeast(last?.position ?? 0, 20)
      const first = last?.pagesAhead ?? 0
      assert.closeTo(first, 3 * sizes.reduce((sum, size) => sum + size, 0), 60)
      for (let asked = 0; last?.position !== undefined; asked++) {
        yield* TestClock.adjust("100 millis")
        const next = yield* waitingOf(engine, id, reports)
        if (next?.position === undefined) break
        // One of its tenant's that gave way to a newcomer stands before it again.
        assert.isAtMost(next.position, last.position + 1)
        // Pages of files that were not opened yet are estimated, and what is opened corrects that.
        assert.isAtMost(next.pagesAhead ?? 0, (last.pagesAhead ?? 0) + 30)
        last = next
        assert.isBelow(asked, 1_000)
      }
      assert.strictEqual(last?.position, 1)
      assert.strictEqual(last?.pagesAhead, 0)
    })
  )

  it.effect("of the whole queue is nothing while nothing waits", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { globalDocuments: 1 } })
      assert.strictEqual((yield* engine.ingestion.queueStatus()).estimatedWaitSeconds, 0)
      yield* engine.submit("endless")
      yield* engine.submit("endless")
      yield* TestClock.adjust("2 seconds")
      assert.isAbove((yield* engine.ingestion.queueStatus(acme)).estimatedWaitSeconds ?? 0, 60)
      assert.strictEqual((yield* engine.ingestion.queueStatus(tenant("other"))).estimatedWaitSeconds, 0)
    })
  )
})

describe("the wait for the start", () => {
  it.effect("of a paused tenant is not known, be there documents or none, and does not count in the whole queue", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      yield* engine.ingestion.pause(acme)
      assert.isUndefined((yield* engine.ingestion.queueStatus(acme)).estimatedWaitSeconds)
      yield* engine.submit("endless")
      yield* TestClock.adjust("1 second")
      assert.isUndefined((yield* engine.ingestion.queueStatus(acme)).estimatedWaitSeconds)
      assert.strictEqual((yield* engine.ingestion.queueStatus()).estimatedWaitSeconds, 0)
      yield* engine.ingestion.resume(acme)
      assert.isDefined((yield* engine.ingestion.queueStatus(acme)).estimatedWaitSeconds)
    })
  )
})

describe("the state of a tenant", () => {
  it.effect("tells what it may have, has and gets", () =>
    Effect.gen(function* () {
      const [gold, iron] = [tenant("gold"), tenant("iron")]
      const engine = yield* startEngine({ scripts, tenants: { [gold]: { weight: 3 } } })
      for (const owner of [gold, iron]) for (let n = 0; n < 4; n++) yield* engine.submit("endless", owner)
      yield* TestClock.adjust("90 seconds")
      const state = yield* engine.ingestion.tenant(gold)
      assert.deepInclude(state, {
        tenantId: gold,
        paused: false,
        backlog: 2,
        running: 2,
        oldestSeconds: 90,
        noisy: true
      })
      assert.strictEqual(state.limits.weight, 3)
      assert.closeTo(state.share.entitled, 0.75, 0.001)
      assert.closeTo(state.share.received1m, 0.75, 0.03)
      assert.closeTo(state.share.received15m, 0.75, 0.03)
      assert.isAbove(state.fairness, 0.99)
      yield* engine.ingestion.pause(gold)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* engine.ingestion.tenant(gold), { paused: true, noisy: false })
    })
  )

  it.effect("is not noisy while nobody else has work", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      for (let n = 0; n < 4; n++) yield* engine.submit("endless")
      yield* TestClock.adjust("10 seconds")
      assert.isFalse((yield* engine.ingestion.tenant(acme)).noisy)
      yield* engine.submit("endless", tenant("other"))
      yield* TestClock.adjust("1 second")
      assert.isTrue((yield* engine.ingestion.tenant(acme)).noisy)
      assert.isFalse((yield* engine.ingestion.tenant(tenant("other"))).noisy)
    })
  )

  it.effect("has no share and no age of a tenant without work", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const state = yield* engine.ingestion.tenant(acme)
      assert.deepInclude(state, { backlog: 0, running: 0, noisy: false, fairness: 1 })
      assert.deepStrictEqual(state.share, { entitled: 0, received1m: 0, received15m: 0 })
      assert.isUndefined(state.oldestSeconds)
    })
  )
})
