import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import type { Fence } from "../../src/services/store/Fence.ts"
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
  openedPdf,
  page,
  renew,
  runner,
  type Test
} from "./storeFixtures.ts"

const detail = { from: 1, limit: 100, detail: true }

/** Every write a fence allows is refused, and changes nothing. */
const assertFencedOut = Effect.fnUntraced(function* (fence: Fence) {
  const queue = yield* DocumentQueue
  const documents = yield* Documents
  const before = yield* documents.find(acme, fence.documentId)
  const refusals = yield* Effect.all([
    Effect.flip(queue.fetched(fence, { hash: blobHash(99), size: 1 })),
    Effect.flip(queue.opened(fence, openedPdf)),
    Effect.flip(queue.savePages(fence, [page(77)])),
    Effect.flip(at(9_000, queue.finish(fence, { status: "completed" }))),
    Effect.flip(queue.release(fence))
  ])
  for (const refusal of refusals) {
    assert.deepInclude(refusal, { _tag: "LeaseLost", documentId: fence.documentId, attempt: fence.attempt })
  }
  assert.deepStrictEqual(yield* documents.find(acme, fence.documentId), before)
})

/** Leases, fences and page results. */
export const runs = (test: Test) => {
  test(
    "keeps what a runner learns of the file",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1, { source: { _tag: "Url", url: "https://example.org/a.pdf" } })
      const { fence } = yield* claim()
      yield* queue.fetched(fence, { hash: blobHash(7), size: 42 })
      yield* queue.opened(fence, openedPdf)
      const found = yield* documents.find(acme, fence.documentId, "outline")
      assert.deepInclude(found, { blob: blobHash(7), size: 42, sourceUrl: "https://example.org/a.pdf" })
      assert.deepStrictEqual(found.metadata, openedPdf.metadata)
      assert.deepStrictEqual(found.outline, openedPdf.outline)
      assert.deepStrictEqual(found.progress, { pages: 3, done: 0, failed: 0 })
    })
  )

  test(
    "keeps what a later attempt learns of the file",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const first = yield* claim()
      yield* queue.opened(first.fence, openedPdf)
      yield* queue.release(first.fence)
      const second = yield* claim()
      yield* queue.opened(second.fence, { ...openedPdf, pageCount: 4, outline: [] })
      const found = yield* documents.find(acme, documentId(1), "outline")
      assert.strictEqual(found.progress.pages, 4)
      assert.deepStrictEqual(found.outline, [])
    })
  )

  test(
    "keeps the first result of a page",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const broken = page(2, { status: "failed", error: failure("PAGE_UNREADABLE", "broken"), text: "", lines: "[]" })
      const save = (results: ReadonlyArray<PageResult>) =>
        Effect.forEach(results, (result) => queue.savePages(fence, [result]), { concurrency: "unbounded" })
      yield* save([page(1), broken])
      yield* save([page(2), page(1, { text: "other" }), broken])
      assert.deepStrictEqual(yield* documents.pages(acme, fence.documentId, detail), [page(1), broken])
      assert.deepStrictEqual((yield* documents.find(acme, fence.documentId)).progress, { done: 2, failed: 1 })
    })
  )

  test(
    "writes the pages of one call together, without those that have a result",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const broken = page(3, { status: "failed", error: failure("PAGE_UNREADABLE", "broken"), text: "", lines: "[]" })
      yield* queue.savePages(fence, [])
      yield* queue.savePages(fence, [page(2), broken])
      yield* queue.savePages(fence, [page(4), page(2, { text: "other" }), page(1), page(3), page(1, { text: "other" })])
      const found = [page(1), page(2), broken, page(4)]
      assert.deepStrictEqual(yield* documents.pages(acme, fence.documentId, detail), found)
      assert.deepStrictEqual((yield* documents.find(acme, fence.documentId)).progress, { done: 4, failed: 1 })
      assert.deepInclude(yield* Effect.flip(queue.savePages({ ...fence, attempt: 9 }, [page(5), page(6)])), {
        _tag: "LeaseLost"
      })
      assert.deepStrictEqual(yield* documents.pages(acme, fence.documentId, detail), found)
    })
  )

  test(
    "counts failed and timed out pages as failed",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const results = (["ok", "empty", "scanned", "failed", "timeout"] as const).map((status, index) =>
        page(index + 1, { status })
      )
      yield* Effect.forEach(results, (result) => queue.savePages(fence, [result]), { concurrency: "unbounded" })
      assert.deepStrictEqual((yield* documents.find(acme, fence.documentId)).progress, { done: 5, failed: 2 })
    })
  )

  test(
    "resumes a released document at its unfinished pages, at the head of the queue",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      yield* accept(2)
      const first = yield* claim()
      yield* queue.savePages(first.fence, [page(1)])
      yield* queue.savePages(first.fence, [page(3)])
      yield* queue.release(first.fence)
      assert.strictEqual((yield* documents.find(acme, documentId(1))).status, "queued")
      const second = yield* claim(acme, { ...lease, now: 5_000 })
      assert.deepStrictEqual(second.fence, { documentId: documentId(1), attempt: 2 })
      assert.deepStrictEqual([...second.donePages].toSorted(), [1, 3])
      assert.strictEqual(second.document.timings.startedAt?.epochMilliseconds, lease.now)
    })
  )

  test(
    "refuses every write of a runner whose document was released",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.release(fence)
      yield* assertFencedOut(fence)
      yield* claim()
      yield* assertFencedOut(fence)
    })
  )

  test(
    "refuses every write of a runner whose document ended",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      const { fence } = yield* claim()
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      yield* assertFencedOut(fence)
    })
  )

  test(
    "refuses every write of a runner whose document was cancelled",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const cancelled = yield* at(3_000, documents.cancel(acme, fence.documentId))
      assert.isAbove(cancelled.attempt, fence.attempt)
      yield* assertFencedOut(fence)
    })
  )

  test(
    "refuses a fence that was never given out",
    Effect.gen(function* () {
      yield* accept(1)
      yield* claim()
      yield* assertFencedOut({ documentId: documentId(1), attempt: 2 })
      const queue = yield* DocumentQueue
      const unknown = yield* Effect.flip(queue.savePages({ documentId: documentId(8), attempt: 1 }, [page(1)]))
      assert.strictEqual(unknown._tag, "LeaseLost")
    })
  )

  test(
    "takes back documents whose lease has run out, and only those",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      yield* accept(2, { tenantId: globex })
      const early = yield* claim(acme, { ...lease, until: 4_000 })
      const late = yield* claim(globex, { ...lease, until: 6_000 })
      assert.deepStrictEqual(yield* at(3_999, queue.reclaimExpired), [])
      assert.deepStrictEqual(yield* at(4_000, queue.reclaimExpired), [acme])
      yield* assertFencedOut(early.fence)
      yield* queue.savePages(late.fence, [page(1)])
      assert.strictEqual(yield* claimNext(), 1)
    })
  )

  test(
    "takes back all running documents of one tenant, whatever their leases say",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      yield* accept(2, { tenantId: globex })
      yield* accept(3)
      const own = yield* claim(acme, { ...lease, until: 60_000 })
      const foreign = yield* claim(globex, { ...lease, until: 60_000 })
      assert.deepStrictEqual([...(yield* queue.tenantsWithRunning)].toSorted(), [acme, globex])
      assert.strictEqual(yield* queue.reclaimAll(acme), 1)
      yield* assertFencedOut(own.fence)
      yield* queue.savePages(foreign.fence, [page(1)])
      assert.deepStrictEqual(yield* queue.tenantsWithRunning, [globex])
      assert.strictEqual((yield* claim()).fence.attempt, 2)
      assert.strictEqual(yield* queue.reclaimAll(acme), 1)
      assert.strictEqual(yield* queue.reclaimAll(acme), 0)
    })
  )

  test(
    "leaves an expired lease to its holder until it is taken back",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      const { fence } = yield* claim(acme, { ...lease, until: 2_001 })
      yield* queue.savePages(fence, [page(1)])
      assert.deepStrictEqual(yield* renew({ runner, now: 9_000, until: 20_000 }), [fence])
      assert.deepStrictEqual(yield* at(10_000, queue.reclaimExpired), [])
    })
  )

  test(
    "renews the leases of one runner and tells which it still holds",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const other = RunnerId.make("runner-2")
      yield* Effect.forEach([1, 2, 3, 4], (number) => accept(number))
      const [kept, lost, done] = yield* Effect.all([claim(), claim(), claim()])
      const foreign = yield* claim(acme, { ...lease, runner: other })
      yield* at(3_000, documents.cancel(acme, lost.fence.documentId))
      yield* at(3_000, queue.finish(done.fence, { status: "completed" }))
      assert.deepStrictEqual(yield* renew({ ...lease, until: 50_000 }), [kept.fence])
      assert.deepStrictEqual(yield* at(20_000, queue.reclaimExpired), [acme])
      yield* queue.savePages(kept.fence, [page(1)])
      assert.strictEqual((yield* documents.find(acme, foreign.fence.documentId)).status, "queued")
    })
  )

  test(
    "gives the sealed password to every attempt",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1, { sealedPassword: "sealed" })
      const first = yield* claim()
      yield* queue.release(first.fence)
      assert.deepStrictEqual([first.sealedPassword, (yield* claim()).sealedPassword], ["sealed", "sealed"])
    })
  )

  test(
    "ends a document with its outcome and its moment",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* Effect.forEach([1, 2, 3], (number) => accept(number))
      const reason = failure("CORRUPT", "no page tree")
      const outcomes = [{ status: "completed" }, { status: "partial" }, { status: "failed", failure: reason }] as const
      for (const outcome of outcomes) {
        const { fence } = yield* claim()
        const ended = yield* at(4_000, queue.finish(fence, outcome))
        assert.strictEqual(ended.status, outcome.status)
        assert.strictEqual(ended.timings.finishedAt?.epochMilliseconds, 4_000)
        assert.deepStrictEqual(ended.failure, outcome.status === "failed" ? reason : undefined)
        assert.deepStrictEqual(yield* documents.find(acme, fence.documentId), ended)
      }
    })
  )

  test(
    "ends a document together with all that was read of it",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const broken = page(2, { status: "failed", error: failure("PAGE_UNREADABLE", "broken"), text: "", lines: "[]" })
      yield* queue.savePages(fence, [page(1)])
      const pages = [page(1, { text: "other" }), page(3), broken]
      const ended = yield* at(4_000, queue.finishWhole(fence, { pdf: openedPdf, pages }, { status: "partial" }))
      assert.strictEqual(ended.status, "partial")
      assert.deepStrictEqual(ended.progress, { pages: openedPdf.pageCount, done: 3, failed: 1 })
      assert.deepStrictEqual(ended.metadata, openedPdf.metadata)
      assert.deepStrictEqual(yield* documents.find(acme, fence.documentId), ended)
      assert.deepStrictEqual(yield* documents.pages(acme, fence.documentId, detail), [page(1), broken, page(3)])
    })
  )

  test(
    "writes nothing of a whole document once its lease is lost",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.release(fence)
      const whole = { pdf: openedPdf, pages: [page(1)] }
      const lost = yield* Effect.flip(at(4_000, queue.finishWhole(fence, whole, { status: "completed" })))
      assert.strictEqual(lost._tag, "LeaseLost")
      assert.deepStrictEqual(yield* documents.pages(acme, fence.documentId, detail), [])
      assert.strictEqual((yield* documents.find(acme, fence.documentId)).status, "queued")
    })
  )
}
