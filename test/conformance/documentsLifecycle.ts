import { assert } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import type { NewDocument } from "../../src/services/store/NewDocument.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"
import {
  accept,
  acme,
  at,
  blobHash,
  claim,
  claimNext,
  documentId,
  globex,
  lease,
  newDocument,
  hashesOf,
  numberOf,
  openedPdf,
  page,
  plenty,
  retry,
  settle,
  type Test,
  pendingCallbacks
} from "./storeFixtures.ts"

const detail = { from: 1, limit: 100, detail: false }
const broken = failure("PAGE_UNREADABLE", "broken")
const sameBytes = { name: "same.pdf", source: { _tag: "Blob", hash: blobHash(7), size: 100 } } as const

/** The number of the document that such a submission is answered with. */
const answeredWith = (number: number, changes: Partial<NewDocument> = {}) =>
  Effect.map(accept(number, { ...sameBytes, reuse: true, ...changes }), ({ id }) => numberOf(id))

const again = { at: 5_000, sealedPassword: undefined, passwordKey: undefined }

/** A document of three pages, of which the second failed and the third timed out. */
const partial = Effect.fnUntraced(function* (changes: Partial<NewDocument> = {}) {
  const queue = yield* DocumentQueue
  yield* accept(1, changes)
  const { fence } = yield* claim()
  yield* queue.opened(fence, openedPdf)
  yield* queue.savePages(fence, [page(1)])
  yield* queue.savePages(fence, [page(2, { status: "failed", error: broken })])
  yield* queue.savePages(fence, [page(3, { status: "timeout", error: broken })])
  return yield* at(4_000, queue.finish(fence, { status: "partial" }))
})

/** The same bytes once more. */
export const duplicates = (test: Test) => {
  test(
    "are answered with the document that waits, runs, is completed or is partial",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      assert.strictEqual(yield* answeredWith(1), 1)
      assert.strictEqual(yield* answeredWith(2), 1)
      const { fence } = yield* claim()
      assert.strictEqual(yield* answeredWith(3), 1)
      yield* at(3_000, queue.finish(fence, { status: "partial" }))
      assert.strictEqual(yield* answeredWith(4), 1)
      assert.strictEqual((yield* documents.list(acme, { status: undefined, before: undefined, limit: 9 })).length, 1)
      assert.strictEqual((yield* queueStats.stats()).waiting, 0)
    })
  )

  test(
    "make a new document when the other one failed, was cancelled or was removed",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* answeredWith(1)
      yield* at(3_000, queue.finish((yield* claim()).fence, { status: "failed", failure: broken }))
      assert.strictEqual(yield* answeredWith(2), 2)
      yield* at(3_000, documents.cancel(acme, documentId(2)))
      assert.strictEqual(yield* answeredWith(3), 3)
      yield* documents.remove(acme, documentId(3))
      assert.strictEqual(yield* answeredWith(4), 4)
    })
  )

  test(
    "make a new document when they are not to be reused, which is then the one that stands in",
    Effect.gen(function* () {
      yield* answeredWith(1)
      assert.strictEqual(yield* answeredWith(2, { reuse: false }), 2)
      assert.strictEqual(yield* answeredWith(3), 2)
    })
  )

  test(
    "make one document when 50 of them are accepted at the same moment",
    Effect.gen(function* () {
      const queueStats = yield* QueueStats
      const numbers = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, index) => index + 1),
        (number) => answeredWith(number),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(numbers).size, 1)
      assert.strictEqual((yield* queueStats.stats(acme)).waiting, 1)
    })
  )

  test(
    "are told apart by tenant, by name and by password",
    Effect.gen(function* () {
      assert.strictEqual(yield* answeredWith(1, { passwordKey: "a" }), 1)
      assert.strictEqual(yield* answeredWith(2), 2)
      assert.strictEqual(yield* answeredWith(3, { passwordKey: "b" }), 3)
      assert.strictEqual(yield* answeredWith(4, { passwordKey: "a", tenantId: globex }), 4)
      assert.strictEqual(yield* answeredWith(5, { passwordKey: "a" }), 1)
      assert.strictEqual(yield* answeredWith(6), 2)
      assert.strictEqual(yield* answeredWith(7, { name: "other.pdf" }), 7)
    })
  )

  test(
    "get a document of their own when they ask for another callback or an earlier start",
    Effect.gen(function* () {
      assert.strictEqual(yield* answeredWith(1, { callback: "https://example.org/1", notBefore: 9_000 }), 1)
      assert.strictEqual(yield* answeredWith(2, { notBefore: 9_000 }), 1)
      assert.strictEqual(yield* answeredWith(3, { callback: "https://example.org/1", notBefore: 9_500 }), 1)
      assert.strictEqual(yield* answeredWith(4, { callback: "https://example.org/1" }), 4)
      assert.strictEqual(yield* answeredWith(5, { callback: "https://example.org/2" }), 5)
    })
  )

  test(
    "need no room in the backlog",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const limits = { tenant: 1, global: 1 }
      yield* queue.accept(newDocument(1, sameBytes), limits)
      const { id } = yield* queue.accept(newDocument(2, { ...sameBytes, reuse: true }), limits)
      assert.strictEqual(id, documentId(1))
    })
  )

  test(
    "find a document whose bytes were fetched",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1, { name: "same.pdf", source: { _tag: "Url", url: "https://example.org/a.pdf" }, reuse: true })
      yield* queue.fetched((yield* claim()).fence, { hash: blobHash(7), size: 100 })
      assert.strictEqual(yield* answeredWith(2), 1)
    })
  )

  test(
    "keep the document from being withdrawn by all but those who withdraw them, too",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* answeredWith(1)
      yield* accept(2, { source: { _tag: "Blob", hash: blobHash(8), size: 100 } })
      assert.isTrue(Option.isNone(yield* documents.withdraw(globex, documentId(2), 0)))
      const { unusedBlobs, ...removed } = Option.getOrThrow(yield* documents.withdraw(acme, documentId(2), 0))
      assert.deepStrictEqual(removed, { id: documentId(2), tenantId: acme, attempt: 0, status: "queued" })
      assert.deepStrictEqual(hashesOf(unusedBlobs), [blobHash(8)])
      assert.isTrue(Option.isNone(yield* documents.withdraw(acme, documentId(2), 0)))
      yield* answeredWith(3)
      assert.isTrue(Option.isNone(yield* documents.withdraw(acme, documentId(1), 0)))
      assert.strictEqual((yield* documents.find(acme, documentId(1))).status, "queued")
      yield* answeredWith(4)
      assert.isTrue(Option.isNone(yield* documents.withdraw(acme, documentId(1), 1)))
      assert.isTrue(Option.isSome(yield* documents.withdraw(acme, documentId(1), 2)))
    })
  )
}

/** Reading failed pages again. */
export const retries = (test: Test) => {
  test(
    "queue the document without its failed pages and keep the others",
    Effect.gen(function* () {
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* partial()
      const queued = yield* retry(acme, documentId(1), again, plenty)
      assert.deepInclude(queued, { status: "queued", retries: 1, attempt: 1, interruptions: 0 })
      assert.deepStrictEqual(queued.progress, { pages: 3, done: 1, failed: 0 })
      assert.isUndefined(queued.timings.finishedAt)
      assert.strictEqual(queued.timings.retriedAt?.epochMilliseconds, again.at)
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(1), detail), [page(1, { lines: "[]" })])
      assert.deepInclude(yield* queueStats.stats(acme), { waiting: 1, running: 0 })
      const claimed = yield* claim()
      assert.deepStrictEqual([...claimed.donePages], [1])
      assert.strictEqual(claimed.fence.attempt, 2)
    })
  )

  test(
    "queue a document that failed as a whole, and forget why",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      yield* at(3_000, queue.finish((yield* claim()).fence, { status: "failed", failure: broken }))
      const queued = yield* retry(acme, documentId(1), again, plenty)
      assert.strictEqual(queued.status, "queued")
      assert.isUndefined(queued.failure)
    })
  )

  test(
    "are refused for documents that did not end partial or failed, and for those of others",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const refusal = Effect.flip(retry(acme, documentId(1), again, plenty))
      yield* accept(1)
      assert.deepInclude(yield* refusal, { _tag: "NotRetryable", why: "status", status: "queued" })
      const { fence } = yield* claim()
      assert.deepInclude(yield* refusal, { _tag: "NotRetryable", status: "running" })
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      assert.deepInclude(yield* refusal, { _tag: "NotRetryable", status: "completed" })
      const foreign = yield* Effect.flip(retry(globex, documentId(1), again, plenty))
      assert.strictEqual(foreign._tag, "DocumentNotFound")
      yield* accept(2)
      yield* at(3_000, documents.cancel(acme, documentId(2)))
      const cancelled = yield* Effect.flip(retry(acme, documentId(2), again, plenty))
      assert.deepInclude(cancelled, { _tag: "NotRetryable", status: "cancelled" })
    })
  )

  test(
    "need the password again, which was forgotten",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* partial({ sealedPassword: "sealed", passwordKey: "a" })
      const refused = yield* Effect.flip(retry(acme, documentId(1), again, plenty))
      assert.deepInclude(refused, { _tag: "NotRetryable", why: "password" })
      assert.strictEqual((yield* documents.find(acme, documentId(1))).status, "partial")
      yield* retry(acme, documentId(1), { at: 5_000, sealedPassword: "again", passwordKey: "b" }, plenty)
      assert.strictEqual((yield* claim()).sealedPassword, "again")
    })
  )

  test(
    "need room in the backlog",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* partial()
      yield* accept(2)
      const refused = yield* Effect.flip(retry(acme, documentId(1), again, { tenant: 1, global: 9 }))
      assert.deepInclude(refused, { _tag: "QueueFull", scope: "tenant" })
      assert.strictEqual((yield* documents.find(acme, documentId(1))).progress.done, 3)
    })
  )

  test(
    "owe a callback of their own, which no record of an earlier one settles",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* partial({ callback: "https://example.org/hook" })
      const [earlier] = yield* pendingCallbacks(99_000, 9)
      yield* retry(acme, documentId(1), again, plenty)
      assert.deepStrictEqual(yield* pendingCallbacks(99_000, 9), [])
      const second = yield* at(6_000, queue.finish((yield* claim()).fence, { status: "completed" }))
      const [owed] = yield* pendingCallbacks(99_000, 9)
      assert.deepInclude(owed, { callback: "https://example.org/hook", deliveries: 0 })
      assert.deepStrictEqual([owed?.document.id, owed?.document.retries], [second.id, 1])
      yield* settle(earlier)
      assert.strictEqual((yield* pendingCallbacks(99_000, 9)).length, 1)
    })
  )
}

/** What interrupts documents, holds them up, or ends them from outside. */
export const troubles = (test: Test) => {
  test(
    "counts how often a document was given back or its lease ran out",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      yield* queue.release((yield* claim()).fence)
      yield* claim(acme, { ...lease, until: 4_000 })
      yield* at(4_000, queue.reclaimExpired)
      assert.strictEqual((yield* documents.find(acme, documentId(1))).interruptions, 2)
    })
  )

  test(
    "remembers the faults of pages without a result, until the document is retried",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      const first = yield* claim()
      assert.strictEqual(first.faults.size, 0)
      yield* queue.recordFault(first.fence, 2, "death")
      yield* queue.recordFault(first.fence, 3, "failure")
      yield* queue.recordFault(first.fence, 3, "failure")
      yield* queue.recordFault(first.fence, 4, "failure")
      yield* queue.savePages(first.fence, [page(4)])
      yield* queue.release(first.fence)
      assert.strictEqual((yield* Effect.flip(queue.recordFault(first.fence, 2, "death")))._tag, "LeaseLost")
      const second = yield* claim()
      assert.deepStrictEqual(
        [...second.faults],
        [
          [2, { failures: 0, deaths: 1 }],
          [3, { failures: 2, deaths: 0 }]
        ]
      )
      yield* at(4_000, queue.finish(second.fence, { status: "partial" }))
      yield* retry(acme, documentId(1), again, plenty)
      assert.strictEqual((yield* claim()).faults.size, 0)
    })
  )

  test(
    "ends documents that have waited too long for their first run, in portions, and no others",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* accept(1, { acceptedAt: 1_000, priority: 9, callback: "https://example.org/hook" })
      yield* accept(2, { acceptedAt: 1_000, notBefore: 3_000 })
      yield* accept(3, { acceptedAt: 1_500 })
      yield* accept(4, { acceptedAt: 2_000 })
      yield* accept(5, { acceptedAt: 1_000, tenantId: globex })
      yield* queue.release((yield* claim(globex)).fence)
      yield* at(3_000, queue.queueDue)
      const [first] = yield* at(4_000, queue.expireQueued(Duration.millis(4_000 - 2_000), 1))
      assert.strictEqual(first?.id, documentId(1))
      assert.deepStrictEqual([first?.status, first?.failure?.code], ["failed", "EXPIRED"])
      assert.deepStrictEqual(yield* documents.find(acme, documentId(1)), first)
      assert.strictEqual((yield* pendingCallbacks(4_000, 9)).length, 1)
      const rest = yield* at(4_000, queue.expireQueued(Duration.millis(4_000 - 2_000), 9))
      assert.deepStrictEqual(
        rest.map(({ id }) => numberOf(id)),
        [3]
      )
      assert.deepStrictEqual(yield* at(4_000, queue.expireQueued(Duration.millis(4_000 - 2_000), 9)), [])
      assert.deepInclude(yield* queueStats.stats(), { waiting: 3, failed: 2 })
      yield* retry(acme, documentId(3), again, plenty)
      assert.deepStrictEqual(
        (yield* at(6_000, queue.expireQueued(Duration.millis(6_000 - 5_001), 9))).map(({ id }) => numberOf(id)),
        [4, 2, 3]
      )
    })
  )

  test(
    "hands out nothing of a paused tenant until it is resumed, and leaves what runs alone",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      assert.isFalse(yield* queue.isPaused(acme))
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.setPaused(acme, true)
      yield* queue.setPaused(acme, true)
      yield* accept(2)
      yield* accept(3, { tenantId: globex })
      assert.isTrue(yield* queue.isPaused(acme))
      assert.isUndefined(yield* claimNext())
      assert.deepStrictEqual(yield* queue.tenantsWithQueued, [globex])
      assert.strictEqual(yield* claimNext(globex), 3)
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      yield* queue.setPaused(acme, false)
      assert.deepStrictEqual(yield* queue.tenantsWithQueued, [acme])
      assert.strictEqual(yield* claimNext(), 2)
    })
  )
}

/** What is kept for a time only. */
export const retention = (test: Test) => {
  test(
    "removes old documents in portions with their pages, and tells which blobs are no longer used",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* Effect.forEach([1, 2, 3], (number) => accept(number, sameBytes))
      yield* accept(4)
      yield* accept(5, { callback: "https://example.org/hook" })
      const { fence } = yield* claim()
      yield* queue.savePages(fence, [page(1)])
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      yield* at(3_001, documents.cancel(acme, documentId(2)))
      yield* at(3_002, documents.cancel(acme, documentId(4)))
      yield* at(3_003, documents.cancel(acme, documentId(5)))
      const removed = Effect.map(at(3_100, documents.removeEnded(Duration.zero, 2)), (all) =>
        all.map(({ id, unusedBlobs }) => [numberOf(id), hashesOf(unusedBlobs)])
      )
      assert.deepStrictEqual(yield* at(3_000, documents.removeEnded(Duration.zero, 9)), [])
      assert.deepStrictEqual(yield* removed, [
        [1, []],
        [2, []]
      ])
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(1), detail), [])
      assert.deepStrictEqual(yield* removed, [[4, [blobHash(4)]]])
      yield* settle((yield* pendingCallbacks(99_000, 9))[0])
      assert.deepStrictEqual(yield* removed, [[5, [blobHash(5)]]])
      assert.strictEqual((yield* documents.find(acme, documentId(3))).status, "queued")
      assert.deepInclude(yield* queueStats.stats(), { waiting: 1, processed: 1 })
    })
  )
}
