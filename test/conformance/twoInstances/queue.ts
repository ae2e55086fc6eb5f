import { assert } from "@effect/vitest"
import { Context, Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { RunnerId } from "../../../src/domain/Ids.ts"
import { ChangeLog } from "../../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import { QueueStats } from "../../../src/services/store/QueueStats.ts"
import { acme, documentId, numberOf, page } from "../storeFixtures.ts"
import { accept, type Instance, type Test } from "./fixtures.ts"

const request = (name: string) => ({ runner: RunnerId.make(name), lease: Duration.seconds(10) })
const queueOf = (instance: Instance) => Context.get(instance, DocumentQueue)
const claim = (instance: Instance, name: string) =>
  Effect.flatMap(queueOf(instance).claim(acme, request(name)), Effect.fromOption)

/** Claims until nothing is left. */
const claimAll = Effect.fnUntraced(function* (instance: Instance, name: string) {
  const claimed: Array<number> = []
  for (;;) {
    const next = yield* queueOf(instance).claim(acme, request(name))
    if (Option.isNone(next)) return claimed
    claimed.push(numberOf(next.value.document.id))
    yield* Effect.yieldNow
  }
})

export const queue = (test: Test) => {
  test("never claim a document twice", (one, other) =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 24 }, (_, index) => index + 1)
      yield* Effect.forEach(numbers, (number) => accept(number % 2 === 0 ? one : other, number), {
        concurrency: "unbounded"
      })
      const claimed = yield* Effect.all([claimAll(one, "one"), claimAll(other, "other")], { concurrency: 2 })
      assert.deepStrictEqual(
        claimed.flat().toSorted((a, b) => a - b),
        numbers
      )
    }))

  test("claim together no more documents of a tenant than they are told", (one, other) =>
    Effect.gen(function* () {
      yield* Effect.forEach([1, 2, 3, 4], (number) => accept(one, number))
      const first = yield* claim(one, "one")
      yield* claim(other, "other")
      assert.isFalse(yield* queueOf(one).hasQueued(acme, 2))
      assert.isTrue(Option.isNone(yield* queueOf(one).claim(acme, request("one"), 2)))
      assert.isTrue(Option.isNone(yield* queueOf(other).claim(acme, request("other"), 2)))
      yield* queueOf(one).finish(first.fence, { status: "completed" })
      assert.isTrue(yield* queueOf(other).hasQueued(acme, 2))
      assert.isTrue(Option.isSome(yield* queueOf(other).claim(acme, request("other"), 2)))
    }))

  test("renew only their own leases, and take over what has run out", (one, other) =>
    Effect.gen(function* () {
      yield* accept(one, 1)
      yield* accept(one, 2)
      yield* claim(one, "one")
      yield* claim(other, "other")
      yield* TestClock.adjust("6 seconds")
      const renewed = yield* queueOf(one).renew(request("one"))
      assert.deepStrictEqual(
        renewed.map(({ documentId: id }) => id),
        [documentId(1)]
      )
      assert.deepStrictEqual(yield* queueOf(one).reclaimExpired, [])
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* queueOf(one).reclaimExpired, [acme])
      assert.strictEqual((yield* Context.get(other, Documents).find(acme, documentId(2))).status, "queued")
      assert.strictEqual((yield* Context.get(other, Documents).find(acme, documentId(1))).status, "running")
    }))

  test("refuse the writes of a run that the other has taken over", (one, other) =>
    Effect.gen(function* () {
      yield* accept(one, 1)
      const late = yield* claim(one, "one")
      yield* TestClock.adjust("11 seconds")
      yield* queueOf(other).reclaimExpired
      const { fence } = yield* claim(other, "other")
      assert.strictEqual((yield* Effect.flip(queueOf(one).savePages(late.fence, [page(1)])))._tag, "LeaseLost")
      assert.strictEqual(
        (yield* Effect.flip(queueOf(one).finish(late.fence, { status: "completed" })))._tag,
        "LeaseLost"
      )
      yield* queueOf(other).savePages(fence, [page(1)])
      const pages = yield* Context.get(one, Documents).pages(acme, documentId(1), { from: 1, limit: 9, detail: false })
      assert.lengthOf(pages, 1)
    }))

  test("count what the other has written, after a moment", (one, other) =>
    Effect.gen(function* () {
      const stats = Context.get(one, QueueStats)
      assert.strictEqual((yield* stats.stats(acme)).waiting, 0)
      for (const [number, instance] of [other, one, other].entries()) {
        yield* accept(instance, number + 1)
        yield* TestClock.adjust("100 millis")
        assert.strictEqual((yield* stats.stats(acme)).waiting, number + 1)
        assert.strictEqual((yield* stats.stats()).waiting, number + 1)
      }
      yield* claim(other, "other")
      yield* TestClock.adjust("100 millis")
      assert.deepInclude(yield* stats.stats(acme), { waiting: 2, running: 1 })
    }))

  test("see the changes of the other in their order, each once", (one, other) =>
    Effect.gen(function* () {
      const log = Context.get(one, ChangeLog)
      let after = yield* log.last
      const seen: Array<string> = []
      const read = Effect.gen(function* () {
        for (;;) {
          const { changes, complete, through } = yield* log.changes({ after, limit: 3 })
          for (const change of changes) if (change._tag === "Document") seen.push(change.document.id)
          after = through
          if (complete) return
        }
      })
      const expected = Array.from({ length: 12 }, (_, index) => documentId(index + 1))
      for (const [index] of expected.entries()) {
        yield* accept(index % 3 === 0 ? one : other, index + 1)
        if (index % 2 === 0) yield* read
      }
      yield* read
      assert.deepStrictEqual(seen, expected)
    }))
}
