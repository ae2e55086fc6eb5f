import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { timeoutOfOwnTime } from "../../src/services/ProcessorWait.ts"

const late = () => Effect.succeed("late" as const)

describe("A timeout of own time", () => {
  it.effect("ends what takes too long, when nothing was waited for a processor", () =>
    Effect.gen(function* () {
      const work = yield* Effect.forkChild(
        timeoutOfOwnTime({ millis: 1_000, waitedMillis: () => 0, orElse: late })(Effect.never)
      )
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(work.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(work), "late")
    })
  )

  it.effect("leaves what waits for a processor as much longer, and no more", () =>
    Effect.gen(function* () {
      let waited = 300
      const work = yield* Effect.forkChild(
        timeoutOfOwnTime({ millis: 1_000, waitedMillis: () => waited, orElse: late })(Effect.never),
        { startImmediately: true }
      )
      // What was waited before it began is not its own.
      waited = 5_300
      yield* TestClock.adjust("5999 millis")
      assert.isUndefined(work.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(work), "late")
    })
  )

  it.effect("is over with the work", () =>
    Effect.gen(function* () {
      const work = timeoutOfOwnTime({ millis: 1_000, waitedMillis: () => 0, orElse: late })(Effect.succeed("done"))
      assert.strictEqual(yield* work, "done")
    })
  )
})
