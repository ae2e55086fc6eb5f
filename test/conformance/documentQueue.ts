import { assert } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"
import {
  accept,
  acme,
  at,
  claim,
  claimNext,
  documentId,
  globex,
  lease,
  newDocument,
  openedPdf,
  page,
  type Test,
  tryClaim
} from "./storeFixtures.ts"

/** Accepting and claiming. */
export const queue = (test: Test) => {
  test(
    "answers an accepted document as it will be found",
    Effect.gen(function* () {
      const documents = yield* Documents
      const accepted = yield* accept(1)
      assert.strictEqual(accepted.status, "queued")
      assert.strictEqual(accepted.attempt, 0)
      assert.deepStrictEqual(accepted.progress, { done: 0, failed: 0 })
      assert.deepStrictEqual(yield* documents.find(acme, accepted.id), accepted)
    })
  )

  test(
    "keeps the URL of a document whose bytes are still to be fetched",
    Effect.gen(function* () {
      const accepted = yield* accept(1, { source: { _tag: "Url", url: "https://example.org/a.pdf" } })
      assert.strictEqual(accepted.sourceUrl, "https://example.org/a.pdf")
      assert.isUndefined(accepted.blob)
      assert.isUndefined(accepted.size)
    })
  )

  test(
    "keeps names as they are",
    Effect.gen(function* () {
      const name = "../a\u202Eb\u0000'\"; DROP TABLE documents; -- 漢字 🗎".repeat(20)
      assert.strictEqual((yield* accept(1, { name })).name, name)
    })
  )

  test(
    "fails to accept an id twice and keeps the first",
    Effect.gen(function* () {
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* accept(1)
      const again = yield* Effect.flip(accept(1, { name: "other.pdf" }))
      assert.strictEqual(again._tag, "StoreUnavailable")
      assert.strictEqual((yield* documents.find(acme, documentId(1))).name, "1.pdf")
      assert.strictEqual((yield* queueStats.stats()).waiting, 1)
    })
  )

  test(
    "refuses a document beyond the tenant's limit and names the limit",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const limits = { tenant: 2, global: 10 }
      yield* queue.accept(newDocument(1, { notBefore: 5_000 }), limits)
      yield* queue.accept(newDocument(2), limits)
      const refused = yield* Effect.flip(queue.accept(newDocument(3), limits))
      assert.deepInclude(refused, { _tag: "QueueFull", scope: "tenant", limit: 2 })
      yield* queue.accept(newDocument(4, { tenantId: globex }), limits)
    })
  )

  test(
    "refuses a document beyond the global limit and names the limit",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const limits = { tenant: 10, global: 1 }
      yield* queue.accept(newDocument(1), limits)
      const refused = yield* Effect.flip(queue.accept(newDocument(2, { tenantId: globex }), limits))
      assert.deepInclude(refused, { _tag: "QueueFull", scope: "global", limit: 1 })
    })
  )

  test(
    "makes room in the backlog when a document starts",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const limits = { tenant: 1, global: 1 }
      yield* queue.accept(newDocument(1), limits)
      yield* claim()
      yield* queue.accept(newDocument(2), limits)
    })
  )

  test(
    "keeps the limit exactly under 200 concurrent submissions",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      const results = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, index) => newDocument(index)),
        (document) => Effect.result(queue.accept(document, { tenant: 50, global: 60 })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter(Result.isSuccess).length, 50)
      assert.strictEqual((yield* queueStats.stats(acme)).waiting, 50)
      assert.strictEqual((yield* documents.list(acme, { status: undefined, before: undefined, limit: 500 })).length, 50)
    })
  )

  test(
    "hands out documents by priority, then by age",
    Effect.gen(function* () {
      yield* accept(1, { priority: 1 })
      yield* accept(2)
      yield* accept(3, { priority: 9 })
      yield* accept(4)
      yield* accept(5, { priority: 0 })
      yield* accept(6, { tenantId: globex, priority: 9 })
      const order = yield* Effect.forEach(Array.from({ length: 6 }), () => claimNext())
      assert.deepStrictEqual(order, [3, 2, 4, 1, 5, undefined])
      assert.strictEqual(yield* claimNext(globex), 6)
    })
  )

  test(
    "goes by the order of acceptance, not of ids",
    Effect.gen(function* () {
      yield* accept(9)
      yield* accept(2)
      assert.deepStrictEqual([yield* claimNext(), yield* claimNext()], [9, 2])
    })
  )

  test(
    "never hands out a document twice to concurrent claims",
    Effect.gen(function* () {
      yield* Effect.forEach(
        Array.from({ length: 50 }, (_, index) => index),
        (number) => accept(number)
      )
      const claimed = yield* Effect.forEach(Array.from({ length: 80 }), () => claimNext(), { concurrency: "unbounded" })
      const numbers = claimed.filter((number) => number !== undefined)
      assert.strictEqual(numbers.length, 50)
      assert.strictEqual(new Set(numbers).size, 50)
    })
  )

  test(
    "gives a claimed document to its runner with its secrets and under a new attempt",
    Effect.gen(function* () {
      yield* accept(1, { sealedPassword: "sealed" })
      const claimed = yield* claim()
      assert.deepStrictEqual(claimed.fence, { documentId: documentId(1), attempt: 1 })
      assert.strictEqual(claimed.sealedPassword, "sealed")
      assert.strictEqual(claimed.donePages.size, 0)
      assert.strictEqual(claimed.document.status, "running")
      assert.strictEqual(claimed.document.timings.startedAt?.epochMilliseconds, lease.now)
    })
  )

  test(
    "answers a claim with nothing when the tenant has nothing queued",
    Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* tryClaim(acme, lease)))
      yield* accept(1, { notBefore: 5_000 })
      assert.isTrue(Option.isNone(yield* tryClaim(acme, lease)))
    })
  )

  test(
    "queues a scheduled document when its time has come, not before",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      assert.strictEqual((yield* accept(1, { notBefore: 5_000 })).status, "scheduled")
      yield* accept(2, { notBefore: 9_000, tenantId: globex })
      assert.deepStrictEqual(yield* at(4_999, queue.queueDue), [])
      assert.deepStrictEqual(yield* at(5_000, queue.queueDue), [acme])
      assert.deepStrictEqual(yield* at(5_000, queue.queueDue), [])
      assert.strictEqual(yield* claimNext(), 1)
    })
  )

  test(
    "queues a document at once whose time is not later than its acceptance",
    Effect.gen(function* () {
      assert.strictEqual((yield* accept(1, { notBefore: 1_000 })).status, "queued")
    })
  )

  test(
    "knows which tenants have something queued",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      assert.deepStrictEqual(yield* queue.tenantsWithQueued, [])
      yield* accept(1, { tenantId: globex })
      yield* accept(2)
      yield* accept(3)
      assert.deepStrictEqual([...(yield* queue.tenantsWithQueued)].toSorted(), [acme, globex])
      yield* claim(globex)
      assert.deepStrictEqual(yield* queue.tenantsWithQueued, [acme])
    })
  )

  test(
    "counts the documents ahead by priority and age, with the pages left of those that were opened",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      yield* accept(1)
      yield* accept(2)
      yield* accept(3, { priority: 9 })
      yield* accept(4, { priority: 1 })
      yield* accept(5, { tenantId: globex, priority: 9 })
      yield* accept(6, { notBefore: 5_000, priority: 9 })
      const ahead = (number: number) => queueStats.ahead(acme, documentId(number))
      assert.deepStrictEqual(yield* ahead(3), { documents: 0, pages: 0, unopened: 0 })
      assert.deepStrictEqual(yield* ahead(2), { documents: 2, pages: 0, unopened: 2 })
      const first = yield* claim()
      yield* queue.opened(first.fence, openedPdf)
      yield* queue.savePages(first.fence, [page(1)])
      assert.deepStrictEqual(yield* ahead(4), { documents: 2, pages: 0, unopened: 2 })
      yield* queue.release(first.fence)
      assert.deepStrictEqual(yield* ahead(2), { documents: 2, pages: 2, unopened: 1 })
      assert.deepStrictEqual(yield* ahead(4), { documents: 3, pages: 2, unopened: 2 })
    })
  )

  test(
    "sees nothing ahead of a document that is not queued, or of another tenant",
    Effect.gen(function* () {
      const queueStats = yield* QueueStats
      yield* accept(1)
      yield* accept(2)
      yield* accept(3, { notBefore: 5_000 })
      const none = { documents: 0, pages: 0, unopened: 0 }
      assert.deepStrictEqual(yield* queueStats.ahead(globex, documentId(2)), none)
      assert.deepStrictEqual(yield* queueStats.ahead(acme, documentId(3)), none)
      yield* claim()
      assert.deepStrictEqual(yield* queueStats.ahead(acme, documentId(1)), none)
    })
  )

  test(
    "counts queued documents by tenant, without those that are paused",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      assert.deepStrictEqual(yield* queueStats.backlogs, [])
      yield* accept(1)
      yield* accept(2)
      yield* accept(3, { tenantId: globex })
      yield* accept(4, { tenantId: globex, notBefore: 5_000 })
      const queued = () => Effect.map(queueStats.backlogs, (all) => new Map(all.map((one) => [one.tenant, one.queued])))
      assert.deepStrictEqual(
        yield* queued(),
        new Map([
          [acme, 2],
          [globex, 1]
        ])
      )
      yield* queue.setPaused(globex, true)
      yield* claim()
      assert.deepStrictEqual(yield* queued(), new Map([[acme, 1]]))
    })
  )

  test(
    "knows what is left of the documents that run, and of those that ran and wait again",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      yield* accept(1)
      yield* accept(2)
      yield* accept(3)
      yield* accept(4, { tenantId: globex })
      const { fence } = yield* claim()
      yield* claim(globex)
      yield* queue.opened(fence, openedPdf)
      yield* queue.savePages(fence, [page(2)])
      const underWay = Effect.map(queueStats.underWay, (all) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
      const other = { tenant: globex, id: documentId(4), running: true, pages: undefined }
      assert.deepStrictEqual(yield* underWay, [{ tenant: acme, id: documentId(1), running: true, pages: 2 }, other])
      yield* queue.release(fence)
      assert.deepStrictEqual(yield* underWay, [{ tenant: acme, id: documentId(1), running: false, pages: 2 }, other])
    })
  )

  test(
    "knows since when the oldest queued document waits",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      assert.isTrue(Option.isNone(yield* queueStats.oldestQueued(acme)))
      yield* accept(1, { acceptedAt: 500, notBefore: 3_000 })
      yield* accept(2, { acceptedAt: 2_000, priority: 9 })
      yield* accept(3, { acceptedAt: 2_500 })
      assert.deepStrictEqual(yield* queueStats.oldestQueued(acme), Option.some(2_000))
      yield* at(3_000, queue.queueDue)
      yield* claim()
      assert.deepStrictEqual(yield* queueStats.oldestQueued(acme), Option.some(3_000))
    })
  )

  test(
    "knows since when the oldest document of all waits that never ran",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      assert.isTrue(Option.isNone(yield* queueStats.oldestQueued()))
      yield* accept(1, { acceptedAt: 1_000 })
      yield* accept(2, { acceptedAt: 1_500, tenantId: globex })
      yield* accept(3, { acceptedAt: 500, notBefore: 9_000 })
      assert.deepStrictEqual(yield* queueStats.oldestQueued(), Option.some(1_000))
      const { fence } = yield* claim()
      yield* queue.release(fence)
      assert.deepStrictEqual(yield* queueStats.oldestQueued(), Option.some(1_500))
    })
  )
}
