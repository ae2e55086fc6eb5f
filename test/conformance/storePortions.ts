import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { ChangeLog } from "../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import {
  documentSize,
  largestMetadata,
  largestOutline,
  metadataOmitted,
  outlineOmitted,
  portionBytes
} from "../../src/domain/document/Portions.ts"
import {
  accept,
  acme,
  at,
  claim,
  documentId,
  numberOf,
  openedPdf,
  page,
  pendingCallbacks,
  type Test
} from "./storeFixtures.ts"

const everything = { status: undefined, before: undefined, limit: 100 }

/** Documents with metadata of this size, ended. */
const documentsOf = Effect.fnUntraced(function* (count: number, characters: number) {
  const queue = yield* DocumentQueue
  for (let number = 1; number <= count; number++) {
    yield* accept(number, { callback: "https://example.org/ended" })
    const { fence } = yield* claim()
    const metadata = { ...openedPdf.metadata, title: "t".repeat(characters) }
    yield* queue.opened(fence, { ...openedPdf, metadata })
    yield* at(3_000, queue.finish(fence, { status: "completed" }))
  }
})

const most = 200 * 1024

/** However large what is stored is, one read brings a bounded part of it; and none is left out by reading on. */
export const portions = (test: Test) => {
  test(
    "tells an outline of one document, when it is asked for, and of no other",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const changeLog = yield* ChangeLog
      yield* accept(1, { callback: "https://example.org/ended" })
      const { fence } = yield* claim()
      const isBare = (document: object | undefined) => assert.notProperty({ ...document }, "outline")
      isBare(yield* at(3_000, queue.finishWhole(fence, { pdf: openedPdf, pages: [page(1)] }, { status: "partial" })))
      assert.deepStrictEqual((yield* documents.find(acme, documentId(1), "outline")).outline, openedPdf.outline)
      isBare(yield* documents.find(acme, documentId(1)))
      isBare((yield* documents.list(acme, everything))[0])
      isBare((yield* changeLog.changesOf(acme, documentId(1), { after: undefined, limit: 9 })).document)
      isBare((yield* pendingCallbacks(9_000, 9))[0]?.document)
      for (const change of (yield* changeLog.changes({ after: changeLog.beginning, limit: 9 })).changes) {
        if (change._tag === "Document") isBare(change.document)
      }
      isBare(yield* at(4_000, documents.cancel(acme, documentId(1))))
    })
  )

  test(
    "does not read what is larger than the interface can tell, and says so",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* documentsOf(1, largestMetadata + 1)
      assert.deepStrictEqual((yield* documents.list(acme, everything))[0]?.warnings, [metadataOmitted])
      assert.isUndefined((yield* documents.find(acme, documentId(1))).metadata)
      yield* accept(2)
      const { fence } = yield* claim()
      const outline = [{ title: "x".repeat(largestOutline), depth: 0 }]
      yield* queue.opened(fence, { ...openedPdf, outline })
      const found = yield* documents.find(acme, documentId(2), "outline")
      assert.deepStrictEqual(found.warnings, [outlineOmitted])
      assert.isUndefined(found.outline)
      assert.deepStrictEqual(found.metadata, openedPdf.metadata)
      assert.isUndefined((yield* documents.find(acme, documentId(2))).warnings)
    })
  )

  test(
    "lists documents up to so many bytes, and reads on without a gap",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* documentsOf(7, 60_000)
      const seen: Array<number> = []
      for (let before: DocumentId | undefined; ;) {
        const found = yield* documents.list(acme, { ...everything, before, bytes: most })
        if (found.length === 0) break
        assert.isAtMost(found.length, 3)
        seen.push(...found.map(({ id }) => numberOf(id)))
        before = found.at(-1)?.id
      }
      assert.deepStrictEqual(seen, [7, 6, 5, 4, 3, 2, 1])
      assert.strictEqual((yield* documents.list(acme, { ...everything, bytes: 1 })).length, 1)
      assert.strictEqual((yield* documents.list(acme, everything)).length, 7)
    })
  )

  test(
    "gives pages up to so many bytes, or one, and reads on without a gap",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const sizes = [10, 90_000, 90_000, 90_000, 500_000, 10, 10]
      yield* queue.savePages(
        fence,
        sizes.map((size, index) => page(index + 1, { text: "t".repeat(size) }))
      )
      const parts: Array<ReadonlyArray<number>> = []
      for (let from = 1; ;) {
        const found = yield* documents.pages(acme, documentId(1), { from, limit: 100, detail: false, bytes: most })
        if (found.length === 0) break
        parts.push(found.map(({ number }) => number))
        from = (found.at(-1)?.number ?? 0) + 1
      }
      assert.deepStrictEqual(parts, [[1, 2, 3], [4], [5], [6, 7]])
    })
  )

  test(
    "tells changes and callbacks up to a portion of bytes, and none is missed",
    Effect.gen(function* () {
      const changeLog = yield* ChangeLog
      const size = 200_000
      yield* documentsOf(12, size)
      const seen: Array<number> = []
      for (let after = changeLog.beginning; ;) {
        const { changes, complete, through } = yield* changeLog.changes({ after, limit: 100, tenant: acme })
        const documents = changes.flatMap((change) => (change._tag === "Document" ? [change.document] : []))
        assert.isAtMost(
          documents.reduce((sum, document) => sum + documentSize(document), 0),
          portionBytes
        )
        seen.push(...documents.map(({ id }) => numberOf(id)))
        if (complete) break
        assert.isAbove(through, after)
        after = through
      }
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 12 }, (_, index) => index + 1)
      )
      const owed = yield* pendingCallbacks(9_000, 64)
      assert.isAbove(owed.length, 1)
      assert.isAtMost(owed.length, Math.ceil(portionBytes / size))
    })
  )
}
