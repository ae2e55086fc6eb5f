import { assert } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import type { Change, ChangeCursor } from "../../src/domain/Change.ts"
import { failure } from "../../src/domain/Failure.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import { ChangeLog } from "../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import type { Stores } from "../support/store.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import {
  accept,
  acme,
  at,
  blobHash,
  claim,
  documentId,
  globex,
  lease,
  newDocument,
  numberOf,
  openedPdf,
  page,
  plenty,
  renew,
  retry,
  runner,
  type Test
} from "./storeFixtures.ts"

/** `1 queued` for a document, `1 p2 ok` for a page of it. */
const brief = (changes: ReadonlyArray<Change>) =>
  changes.map((change) =>
    change._tag === "Document"
      ? `${numberOf(change.document.id)} ${change.document.status}`
      : `${numberOf(change.documentId)} p${change.page} ${change.status}`
  )

const beginning = ChangeLog.useSync((changeLog) => changeLog.beginning)

const changesAfter = (after: ChangeCursor, tenant?: TenantId, limit = 1_000) =>
  ChangeLog.use((changeLog) => changeLog.changes({ after, limit, tenant }))

const told = (after: ChangeCursor, tenant?: TenantId) =>
  Effect.map(changesAfter(after, tenant), ({ changes }) => brief(changes))

const last = ChangeLog.use((changeLog) => changeLog.last)

const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** What happens in it is told, and nothing else. */
const toldOf = <A, E>(step: Effect.Effect<A, E, Stores>) =>
  Effect.gen(function* () {
    const before = yield* last
    yield* step
    return yield* told(before)
  })

/** Changes in the order of their numbers, from any point on. */
export const changes = (test: Test) => {
  test(
    "tells every change of state, as the document then is, and every page",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      assert.deepStrictEqual(yield* toldOf(accept(1, { notBefore: 5_000 })), ["1 scheduled"])
      assert.deepStrictEqual(yield* toldOf(at(6_000, queue.queueDue)), ["1 queued"])
      const before = yield* last
      const { fence } = yield* claim()
      assert.deepStrictEqual(yield* told(before), ["1 running"])
      assert.deepStrictEqual(yield* toldOf(queue.opened(fence, openedPdf)), ["1 running"])
      assert.deepStrictEqual(yield* toldOf(queue.savePages(fence, [page(2)])), ["1 p2 ok"])
      assert.deepStrictEqual(yield* toldOf(queue.savePages(fence, [page(2)])), [])
      assert.deepStrictEqual(yield* toldOf(queue.savePages(fence, [page(4), page(2), page(3)])), ["1 p4 ok", "1 p3 ok"])
      assert.deepStrictEqual(yield* toldOf(queue.release(fence)), ["1 queued"])
      const again = yield* claim()
      assert.deepStrictEqual(yield* toldOf(at(lease.until, queue.reclaimExpired)), ["1 queued"])
      assert.strictEqual(again.fence.attempt, 2)
      assert.deepStrictEqual(yield* toldOf(at(9_000, documents.cancel(acme, documentId(1)))), ["1 cancelled"])
      assert.deepStrictEqual(yield* toldOf(at(9_000, documents.cancel(acme, documentId(1)))), [])
      yield* accept(2)
      assert.deepStrictEqual(yield* toldOf(at(9_000, queue.expireQueued(Duration.millis(9_000 - 2_000), 10))), [
        "2 failed"
      ])
    })
  )

  test(
    "tells each document once, with its pages before its end",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      yield* accept(2)
      const { fence } = yield* claim()
      yield* queue.opened(fence, openedPdf)
      for (const number of [3, 1, 2]) yield* queue.savePages(fence, [page(number)])
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      assert.deepStrictEqual(yield* told(yield* beginning), [
        "2 queued",
        "1 p3 ok",
        "1 p1 ok",
        "1 p2 ok",
        "1 completed"
      ])
      const { changes } = yield* changesAfter(yield* beginning)
      const { order } = yield* ChangeLog
      const cursors = changes.map(({ cursor }) => cursor)
      assert.deepStrictEqual(cursors, cursors.toSorted(order))
      assert.strictEqual(new Set(cursors).size, 5)
      const [queued, third] = changes
      assert.deepStrictEqual(queued, {
        _tag: "Document",
        cursor: yield* Effect.fromNullishOr(queued?.cursor),
        document: yield* documents.find(acme, documentId(2))
      })
      assert.deepStrictEqual(third, {
        _tag: "Page",
        cursor: yield* Effect.fromNullishOr(third?.cursor),
        tenantId: acme,
        documentId: documentId(1),
        page: 3,
        status: "ok",
        progress: { pages: 3, done: 3, failed: 0 }
      })
    })
  )

  test(
    "tells a document that was read in one go",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      const { fence } = yield* claim()
      const whole = { pdf: openedPdf, pages: [page(1), page(2), page(3)] }
      const step = at(3_000, queue.finishWhole(fence, whole, { status: "completed" }))
      assert.deepStrictEqual(yield* toldOf(step), ["1 p1 ok", "1 p2 ok", "1 p3 ok", "1 completed"])
    })
  )

  test(
    "numbers documents that change at once one by one",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      for (const number of [1, 2, 3]) yield* accept(number, { notBefore: 5_000 })
      const before = yield* last
      yield* at(6_000, queue.queueDue)
      const { order } = yield* ChangeLog
      const cursors = (yield* changesAfter(before)).changes.map(({ cursor }) => cursor)
      assert.strictEqual(new Set(cursors).size, 3)
      for (const cursor of cursors) assert.strictEqual(order(cursor, before), 1)
    })
  )

  test(
    "tells everything in portions, whatever their size, and says when that was all",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      for (const number of [1, 2, 3]) yield* accept(number)
      for (const number of [4, 5]) yield* accept(number, { tenantId: globex })
      const { fence } = yield* claim()
      for (const number of [1, 2, 3]) yield* queue.savePages(fence, [page(number)])
      for (const tenant of [undefined, acme, globex]) {
        const whole = yield* told(yield* beginning, tenant)
        for (const limit of [1, 2, 3, 7]) {
          const found: Array<string> = []
          let part = yield* changesAfter(yield* beginning, tenant, limit)
          let portions = 1
          for (; !part.complete; portions++) {
            found.push(...brief(part.changes))
            part = yield* changesAfter(part.through, tenant, limit)
          }
          assert.deepStrictEqual([...found, ...brief(part.changes)], whole)
          assert.strictEqual(part.through, yield* last)
          assert.isAtMost(portions, 10)
        }
      }
      assert.deepStrictEqual(yield* told(yield* beginning, globex), ["4 queued", "5 queued"])
      const end = yield* last
      assert.deepStrictEqual(yield* changesAfter(end), { changes: [], through: end, complete: true })
    })
  )

  test(
    "gives no number twice, whatever is removed",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* accept(1)
      const { fence } = yield* claim()
      yield* queue.savePages(fence, [page(1, { status: "failed", error: failure("PAGE_UNREADABLE", "broken") })])
      yield* queue.savePages(fence, [page(2)])
      yield* at(3_000, queue.finish(fence, { status: "partial" }))
      const seen = yield* last
      yield* retry(acme, documentId(1), { sealedPassword: undefined, passwordKey: undefined, at: 4_000 }, plenty)
      assert.deepStrictEqual(yield* told(seen), ["1 queued"])
      const again = yield* claim()
      yield* queue.savePages(again.fence, [page(1)])
      assert.deepStrictEqual(yield* told(seen), ["1 running", "1 p1 ok"])
      yield* at(5_000, queue.finish(again.fence, { status: "completed" }))
      const end = yield* last
      yield* documents.remove(acme, documentId(1))
      assert.deepStrictEqual(yield* told(yield* beginning), [])
      yield* accept(2)
      assert.deepStrictEqual(yield* told(end), ["2 queued"])
    })
  )

  test(
    "does not tell of what changes nothing that is shown",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      yield* accept(1)
      const { fence } = yield* claim()
      const quiet = Effect.gen(function* () {
        yield* renew(lease)
        yield* queue.recordFault(fence, 1, "failure")
        yield* queue.fetched(fence, { hash: blobHash(3), size: 3 })
        yield* queue.setPaused(acme, true)
      })
      assert.deepStrictEqual(yield* toldOf(quiet), [])
    })
  )

  test(
    "tells of one document as it is now, and of its pages since then in the order in which they came",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const changeLog = yield* ChangeLog
      yield* accept(1)
      yield* accept(2)
      const first = yield* claim()
      const second = yield* claim()
      yield* queue.opened(first.fence, openedPdf)
      yield* queue.savePages(first.fence, [page(3)])
      yield* queue.savePages(second.fence, [page(1)])
      const middle = yield* last
      yield* queue.savePages(first.fence, [page(1)])
      yield* queue.savePages(first.fence, [page(2)])
      const of = (after: ChangeCursor | undefined, limit = 100) =>
        changeLog.changesOf(acme, documentId(1), { after, limit })
      const all = yield* of(undefined)
      assert.deepStrictEqual(brief(all.pages), ["1 p3 ok", "1 p1 ok", "1 p2 ok"])
      assert.deepStrictEqual(all.document, yield* documents.find(acme, documentId(1)))
      assert.deepStrictEqual(brief((yield* of(all.cursor)).pages), ["1 p3 ok", "1 p1 ok", "1 p2 ok"])
      assert.isTrue(all.complete)
      assert.strictEqual(all.through, yield* last)
      assert.deepStrictEqual(brief((yield* of(middle)).pages), ["1 p1 ok", "1 p2 ok"])
      const part = yield* of(undefined, 2)
      assert.deepStrictEqual([brief(part.pages), part.complete], [["1 p3 ok", "1 p1 ok"], false])
      assert.deepStrictEqual(brief((yield* of(part.through, 2)).pages), ["1 p2 ok"])
      const refused = yield* Effect.flip(changeLog.changesOf(globex, documentId(1), { after: undefined, limit: 1 }))
      assert.strictEqual(refused._tag, "DocumentNotFound")
    })
  )

  test(
    "goes on from the id of any cursor, and knows no id that it has not handed out",
    Effect.gen(function* () {
      const { beginning: start, idOf, resume } = yield* ChangeLog
      assert.deepStrictEqual(yield* resume(idOf(start)), Option.some(start))
      yield* accept(1)
      const before = yield* last
      yield* accept(2)
      const id = idOf(before)
      assert.isTrue(Number.isSafeInteger(id) && id >= 0)
      const kept = yield* Effect.fromOption(yield* resume(id))
      assert.deepStrictEqual(yield* told(kept), ["2 queued"])
      assert.deepStrictEqual(yield* resume(idOf(yield* last)), Option.some(yield* last))
      assert.deepStrictEqual(yield* resume(idOf(yield* last) + 1), Option.none())
    })
  )

  test(
    "skips nothing for a reader that goes on from cursor to cursor while others write",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const write = Effect.fnUntraced(function* (number: number) {
        yield* queue.accept(newDocument(number), plenty)
        yield* Effect.yieldNow
        const claimed = yield* Effect.fromOption(yield* queue.claim(acme, { runner, lease: Duration.minutes(1) }))
        yield* queue.savePages(claimed.fence, [page(1)])
        yield* Effect.yieldNow
        yield* queue.finish(claimed.fence, { status: "completed" })
      })
      const writing = yield* Effect.forkChild(Effect.forEach(numbersTo(40), write, { concurrency: 10, discard: true }))
      const seen = new Set<string>()
      let cursor = yield* beginning
      for (let ended = false, complete = false; !ended || !complete;) {
        ended = writing.pollUnsafe() !== undefined
        const part = yield* changesAfter(cursor, undefined, 7)
        for (const change of brief(part.changes)) seen.add(change)
        cursor = part.through
        complete = part.complete
        yield* Effect.yieldNow
      }
      yield* Fiber.join(writing)
      for (const { id } of yield* documents.list(acme, { status: undefined, before: undefined, limit: 100 })) {
        assert.isTrue(seen.has(`${numberOf(id)} completed`), `the end of document ${numberOf(id)}`)
        assert.isTrue(seen.has(`${numberOf(id)} p1 ok`), `the page of document ${numberOf(id)}`)
      }
    })
  )
}
