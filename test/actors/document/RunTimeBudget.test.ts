import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { KeptRunTimeBudgets, makeRunTimeBudget } from "../../../src/actors/document/RunTimeBudget.ts"
import { CurrentProcessorWait } from "../../../src/services/ProcessorWait.ts"
import { DocumentId } from "../../../src/domain/Ids.ts"

const document = (n: number) => DocumentId.make(`01a207b0-622e-7327-b679-1bc44ce4331${n}`)
const [a, b, c] = [document(1), document(2), document(3)]

describe("RunTimeBudget", () => {
  it.effect("counts only the time during which something runs", () =>
    Effect.gen(function* () {
      const budget = makeRunTimeBudget(Duration.seconds(10))
      for (let run = 0; run < 3; run++) {
        const work = yield* Effect.forkChild(budget.run(Effect.sleep("3 seconds")))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(work)
        yield* TestClock.adjust("1 hour")
      }
      const last = yield* Effect.forkChild(Effect.flip(budget.run(Effect.sleep("3 seconds"))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(last))._tag, "RunTimeExceeded")
    })
  )

  it.effect("counts overlapping work once", () =>
    Effect.gen(function* () {
      const budget = makeRunTimeBudget(Duration.seconds(10))
      const both = yield* Effect.forkChild(
        Effect.all([budget.run(Effect.sleep("6 seconds")), budget.run(Effect.sleep("6 seconds"))], {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(both)
      const third = yield* Effect.forkChild(budget.run(Effect.sleep("3 seconds")))
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(third)
    })
  )

  it.effect("does not count what the work waited for a processor, of pieces side by side their share", () =>
    Effect.gen(function* () {
      const budget = makeRunTimeBudget(Duration.seconds(10))
      const waiting = (share: number) =>
        Effect.gen(function* () {
          const wait = yield* CurrentProcessorWait
          const clock = yield* Clock.Clock
          const start = clock.currentTimeMillisUnsafe()
          wait.millis = () => (clock.currentTimeMillisUnsafe() - start) * share
          yield* Effect.sleep("12 seconds")
        })
      // Of 12 seconds one waited 9 and the other 3: 6 are counted.
      const both = yield* Effect.forkChild(
        Effect.all([budget.run(waiting(0.75)), budget.run(waiting(0.25))], { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("12 seconds")
      yield* Fiber.join(both)
      const third = yield* Effect.forkChild(Effect.flip(budget.run(Effect.sleep("5 seconds"))))
      yield* TestClock.adjust("3999 millis")
      assert.isUndefined(third.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(third))._tag, "RunTimeExceeded")
    })
  )

  it.effect("goes by a clock that nobody sets", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      let jump = 0
      const jumping: Clock.Clock = {
        ...clock,
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + jump,
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
        sleep: (duration) => clock.sleep(duration)
      }
      const budget = makeRunTimeBudget(Duration.seconds(10))
      const work = yield* Effect.forkChild(
        budget.run(Effect.sleep("6 seconds")).pipe(Effect.provideService(Clock.Clock, jumping)),
        { startImmediately: true }
      )
      jump = 3_600_000
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(work)
      const next = yield* Effect.forkChild(budget.run(Effect.sleep("3 seconds")))
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(next)
    })
  )

  it("is kept for the next run of its document, and for no other", () => {
    const budgets = new KeptRunTimeBudgets(Duration.seconds(10), 2)
    const first = budgets.of({ documentId: a, attempt: 1 })
    budgets.keep({ documentId: a, attempt: 1 }, first)
    assert.strictEqual(budgets.of({ documentId: a, attempt: 2 }), first)
    // It was handed out.
    assert.notStrictEqual(budgets.of({ documentId: a, attempt: 2 }), first)
    budgets.keep({ documentId: a, attempt: 2 }, first)
    assert.notStrictEqual(budgets.of({ documentId: a, attempt: 4 }), first)
  })

  it("is forgotten when too many are kept", () => {
    const budgets = new KeptRunTimeBudgets(Duration.seconds(10), 2)
    const kept = [a, b, c].map((documentId) => {
      const budget = budgets.of({ documentId, attempt: 1 })
      budgets.keep({ documentId, attempt: 1 }, budget)
      return budget
    })
    const resumed = [a, b, c].map((documentId) => budgets.of({ documentId, attempt: 2 }))
    assert.deepStrictEqual(
      resumed.map((budget, n) => budget === kept[n]),
      [false, true, true]
    )
  })
})
