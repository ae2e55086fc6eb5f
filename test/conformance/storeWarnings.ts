import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import { warning } from "../../src/domain/document/Warning.ts"
import { ChangeLog } from "../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import { accept, acme, at, claim, documentId, openedPdf, page, plenty, retry, type Test } from "./storeFixtures.ts"

const cut = { warnings: [warning("CONTENT_CUT"), warning("FONT_DAMAGED", "The font Symb is damaged.")] }
const repaired = { ...openedPdf, warnings: [warning("DAMAGE_REPAIRED")] }
const detail = { from: 1, limit: 100, detail: true }

/** What may be missing or wrong in a result that is there. */
export const warnings = (test: Test) => {
  test(
    "keeps the warnings of pages and of the document, and counts the pages that have some",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const changeLog = yield* ChangeLog
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.opened(fence, repaired)
      yield* queue.savePages(fence, [page(1, cut), page(2)])
      yield* queue.savePages(fence, [page(1), page(2, cut), page(3, cut)])
      const kept = [page(1, cut), page(2), page(3, cut)]
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(1), detail), kept)
      const summaries = yield* documents.pages(acme, documentId(1), { from: 1, limit: 9, detail: false, summary: true })
      assert.deepStrictEqual(
        summaries.map((summary) => summary.warnings),
        [cut.warnings, undefined, cut.warnings]
      )
      const found = yield* documents.find(acme, documentId(1))
      assert.deepStrictEqual(found.progress, { pages: 3, done: 3, failed: 0, warned: 2 })
      assert.deepStrictEqual(found.warnings, repaired.warnings)
      const changes = yield* changeLog.changesOf(acme, documentId(1), { after: undefined, limit: 9 })
      assert.deepStrictEqual(changes.pages.at(-1)?.progress, found.progress)
      const ended = yield* at(3_000, queue.finish(fence, { status: "completed" }))
      assert.deepStrictEqual(ended.warnings, repaired.warnings)
      assert.deepStrictEqual(
        (yield* documents.list(acme, { status: undefined, before: undefined, limit: 9 }))[0],
        ended
      )
    })
  )

  test(
    "keeps the warnings of a document that is read in one go",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      const pages = [page(1), page(2, cut), page(3)]
      const ended = yield* at(3_000, queue.finishWhole(fence, { pdf: repaired, pages }, { status: "completed" }))
      assert.deepStrictEqual(ended.warnings, repaired.warnings)
      assert.deepStrictEqual(ended.progress, { pages: 3, done: 3, failed: 0, warned: 1 })
      assert.deepStrictEqual(yield* documents.find(acme, documentId(1)), ended)
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(1), detail), pages)
    })
  )

  test(
    "forgets on a retry the warnings of the pages that are read again, and of the file when it is opened again",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.opened(fence, repaired)
      const broken = page(2, { ...cut, status: "failed", error: failure("PAGE_UNREADABLE", "broken") })
      yield* queue.savePages(fence, [page(1, cut), broken])
      yield* at(3_000, queue.finish(fence, { status: "partial" }))
      const again = { at: 4_000, sealedPassword: undefined, passwordKey: undefined }
      const queued = yield* retry(acme, documentId(1), again, plenty)
      assert.deepStrictEqual(queued.progress, { pages: 3, done: 1, failed: 0, warned: 1 })
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(1), detail), [page(1, cut)])
      const second = yield* claim()
      yield* queue.opened(second.fence, openedPdf)
      yield* queue.savePages(second.fence, [page(2)])
      const found = yield* documents.find(acme, documentId(1))
      assert.isUndefined(found.warnings)
      assert.deepStrictEqual(found.progress, { pages: 3, done: 2, failed: 0, warned: 1 })
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(1), detail), [page(1, cut), page(2)])
    })
  )

  test(
    "removes warnings with the document",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const first = yield* claim()
      yield* queue.opened(first.fence, repaired)
      yield* queue.savePages(first.fence, [page(1, cut)])
      yield* documents.remove(acme, documentId(1))
      yield* accept(2)
      const second = yield* claim()
      yield* queue.savePages(second.fence, [page(1)])
      assert.deepStrictEqual(yield* documents.pages(acme, documentId(2), detail), [page(1)])
      assert.isUndefined((yield* documents.find(acme, documentId(2))).warnings)
    })
  )
}
