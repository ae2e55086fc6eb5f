import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { Documents, type ListOptions } from "../../src/services/store/Documents.ts"
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
  hashesOf,
  numberOf,
  page,
  type Test,
  pendingCallbacks
} from "./storeFixtures.ts"

const everything = { status: undefined, before: undefined, limit: 100 }

/** Cancelling, removing and finding. */
export const records = (test: Test) => {
  test(
    "keeps the trace that a document came with, for whoever runs it or tells of its end",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      assert.strictEqual((yield* accept(1, { trace, callback: "https://example.org/ended" })).trace, trace)
      assert.isUndefined((yield* accept(2)).trace)
      const { document, fence } = yield* claim()
      assert.strictEqual(document.trace, trace)
      yield* queue.release(fence)
      assert.strictEqual((yield* claim()).document.trace, trace)
      yield* at(4_000, documents.cancel(acme, documentId(1)))
      yield* at(4_000, documents.cancel(acme, documentId(2)))
      const owed = yield* pendingCallbacks(4_000, 10)
      assert.deepStrictEqual(
        owed.map((pending) => pending.document.trace),
        [trace]
      )
    })
  )

  test(
    "cancels a document in every state that is not terminal",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      yield* claim()
      yield* accept(2)
      yield* accept(3, { notBefore: 5_000 })
      for (const number of [1, 2, 3]) {
        const cancelled = yield* at(4_000, documents.cancel(acme, documentId(number)))
        assert.strictEqual(cancelled.status, "cancelled")
        assert.strictEqual(cancelled.failure?.code, "CANCELLED")
        assert.strictEqual(cancelled.timings.finishedAt?.epochMilliseconds, 4_000)
      }
      assert.isUndefined(yield* claimNext())
      assert.deepStrictEqual(yield* at(9_000, queue.queueDue), [])
      assert.deepStrictEqual(yield* at(99_000, queue.reclaimExpired), [])
    })
  )

  test(
    "leaves a terminal document as it is when it is cancelled",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const completed = yield* at(3_000, queue.finish(fence, { status: "completed" }))
      assert.deepStrictEqual(yield* at(4_000, documents.cancel(acme, fence.documentId)), completed)
      yield* accept(2)
      const cancelled = yield* at(4_000, documents.cancel(acme, documentId(2)))
      assert.deepStrictEqual(yield* at(5_000, documents.cancel(acme, documentId(2))), cancelled)
    })
  )

  test(
    "removes a document with its pages",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.savePages(fence, [page(1)])
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      assert.deepStrictEqual(hashesOf(yield* documents.remove(acme, fence.documentId)), [blobHash(1)])
      assert.deepStrictEqual(yield* documents.pages(acme, fence.documentId, { from: 1, limit: 10, detail: true }), [])
      assert.deepStrictEqual(yield* documents.list(acme, everything), [])
      assert.strictEqual((yield* Effect.flip(documents.remove(acme, fence.documentId)))._tag, "DocumentNotFound")
    })
  )

  test(
    "fences the runner of a document that is removed while it runs",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* accept(1)
      const { fence } = yield* claim()
      yield* documents.remove(acme, fence.documentId)
      assert.strictEqual((yield* Effect.flip(queue.savePages(fence, [page(1)])))._tag, "LeaseLost")
      assert.deepInclude(yield* queueStats.stats(), { waiting: 0, running: 0 })
    })
  )

  test(
    "names the blob of a removed document only when nobody else refers to it",
    Effect.gen(function* () {
      const documents = yield* Documents
      const store = yield* BlobReferences
      const source = { _tag: "Blob", hash: blobHash(5), size: 1 } as const
      yield* accept(1, { source })
      yield* accept(2, { source, tenantId: globex })
      yield* accept(3, { source: { _tag: "Url", url: "https://example.org/a.pdf" } })
      yield* Effect.forEach([1, 3], (number) => at(3_000, documents.cancel(acme, documentId(number))))
      yield* at(3_000, documents.cancel(globex, documentId(2)))
      assert.isTrue(yield* store.refersTo(blobHash(5), acme))
      assert.deepStrictEqual(yield* documents.remove(acme, documentId(1)), [])
      assert.isFalse(yield* store.refersTo(blobHash(5), acme))
      assert.isTrue(yield* store.refersTo(blobHash(5)))
      assert.deepStrictEqual(hashesOf(yield* documents.remove(globex, documentId(2))), [blobHash(5)])
      assert.isFalse(yield* store.refersTo(blobHash(5)))
      assert.deepStrictEqual(yield* documents.remove(acme, documentId(3)), [])
    })
  )

  test(
    "hides documents from other tenants as if they did not exist",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      const store = yield* BlobReferences
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.savePages(fence, [page(1)])
      const refusals = yield* Effect.all([
        Effect.flip(documents.find(globex, documentId(1))),
        Effect.flip(at(3_000, documents.cancel(globex, documentId(1)))),
        Effect.flip(documents.remove(globex, documentId(1)))
      ])
      for (const refusal of refusals) {
        assert.deepInclude(refusal, { _tag: "DocumentNotFound", documentId: documentId(1) })
      }
      assert.deepStrictEqual(yield* documents.pages(globex, documentId(1), { from: 1, limit: 10, detail: false }), [])
      assert.deepStrictEqual(yield* documents.list(globex, everything), [])
      assert.isFalse(yield* store.refersTo(blobHash(1), globex))
      assert.strictEqual((yield* queueStats.stats(globex)).running, 0)
      assert.strictEqual((yield* documents.find(acme, documentId(1))).status, "running")
      assert.strictEqual((yield* Effect.flip(documents.find(acme, documentId(2))))._tag, "DocumentNotFound")
    })
  )

  test(
    "lists documents newest first, in portions that neither repeat nor skip",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* Effect.forEach([3, 1, 5, 2, 4], (number) => accept(number))
      yield* accept(9, { tenantId: globex })
      const numbers = (options: Partial<typeof everything> & { readonly before?: typeof everything.before }) =>
        Effect.map(documents.list(acme, { ...everything, ...options }), (found) => found.map(({ id }) => numberOf(id)))
      assert.deepStrictEqual(yield* numbers({}), [5, 4, 3, 2, 1])
      assert.deepStrictEqual(yield* numbers({ limit: 2 }), [5, 4])
      const rest = yield* documents.list(acme, { ...everything, before: documentId(4), limit: 2 })
      assert.deepStrictEqual(
        rest.map(({ id }) => numberOf(id)),
        [3, 2]
      )
      assert.deepStrictEqual(yield* documents.list(acme, { ...everything, before: documentId(1) }), [])
    })
  )

  test(
    "lists the documents of one status",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* Effect.forEach([1, 2, 3, 4], (number) => accept(number))
      yield* claim()
      yield* at(3_000, documents.cancel(acme, documentId(3)))
      const queued = yield* documents.list(acme, { ...everything, status: ["queued"] })
      assert.deepStrictEqual(
        queued.map(({ id }) => numberOf(id)),
        [4, 2]
      )
      const older = yield* documents.list(acme, { status: ["queued"], before: documentId(4), limit: 10 })
      assert.deepStrictEqual(
        older.map(({ id }) => numberOf(id)),
        [2]
      )
    })
  )

  test(
    "lists the documents of several states together, newest first",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* Effect.forEach([1, 2, 3, 4, 5, 6], (number) => accept(number))
      yield* claim()
      yield* at(3_000, documents.cancel(acme, documentId(3)))
      yield* at(3_000, documents.cancel(acme, documentId(5)))
      const of = (options: Partial<ListOptions>) =>
        Effect.map(documents.list(acme, { ...everything, ...options }), (found) => found.map(({ id }) => numberOf(id)))
      assert.deepStrictEqual(yield* of({ status: ["running", "cancelled"] }), [5, 3, 1])
      assert.deepStrictEqual(yield* of({ status: ["cancelled", "running"], limit: 2 }), [5, 3])
      assert.deepStrictEqual(yield* of({ status: ["cancelled", "running"], before: documentId(5), limit: 2 }), [3, 1])
      assert.deepStrictEqual(yield* of({ status: ["failed", "partial"] }), [])
      assert.deepStrictEqual(yield* of({ status: [] }), [])
    })
  )

  test(
    "gives pages in order from any page on, with lines only when asked, and without text when asked",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      yield* Effect.forEach([12, 2, 1, 7], (number) => queue.savePages(fence, [page(number)]))
      const brief = yield* documents.pages(acme, fence.documentId, { from: 2, limit: 2, detail: false })
      assert.deepStrictEqual(brief, [page(2, { lines: "[]" }), page(7, { lines: "[]" })])
      const detailed = yield* documents.pages(acme, fence.documentId, { from: 7, limit: 10, detail: true })
      assert.deepStrictEqual(detailed, [page(7), page(12)])
      const summary = { from: 7, limit: 1, detail: false, summary: true }
      const bare = yield* documents.pages(acme, fence.documentId, summary)
      assert.deepStrictEqual(bare, [page(7, { lines: "[]", text: "" })])
    })
  )

  test(
    "keeps layouts as they are, and gives them only when asked",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const layout = Uint8Array.of(0, 255, 7)
      // As a worker's message holds it: the store must not depend on the bytes around it.
      const message = Uint8Array.of(9, ...layout, 9)
      yield* queue.savePages(fence, [page(1, { layout: message.subarray(1, 4) }), page(2)])
      message.fill(1)
      const all = { from: 1, limit: 10 }
      const laidOut = yield* documents.pages(acme, fence.documentId, { ...all, detail: false, layout: true })
      assert.deepStrictEqual(laidOut, [page(1, { lines: "[]", layout }), page(2, { lines: "[]" })])
      const whole = yield* documents.pages(acme, fence.documentId, { ...all, detail: true, layout: true })
      assert.deepStrictEqual(whole, [page(1, { layout }), page(2)])
      for (const options of [{ detail: false }, { detail: true }, { detail: false, summary: true }]) {
        for (const found of yield* documents.pages(acme, fence.documentId, { ...all, ...options })) {
          assert.isFalse("layout" in found)
        }
      }
    })
  )

  test(
    "counts layouts in the bytes of a read",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.savePages(fence, [
        page(1, { layout: new Uint8Array(600) }),
        page(2, { layout: new Uint8Array(600) })
      ])
      const options = { from: 1, limit: 10, detail: false, bytes: 1_000 }
      assert.strictEqual((yield* documents.pages(acme, fence.documentId, { ...options, layout: true })).length, 1)
      assert.strictEqual((yield* documents.pages(acme, fence.documentId, options)).length, 2)
    })
  )
}
