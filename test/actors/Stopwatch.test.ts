import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeStopwatch } from "../../src/actors/Stopwatch.ts"

describe("Stopwatch", () => {
  it.effect("counts only the time during which something runs", () =>
    Effect.gen(function* () {
      const stopwatch = makeStopwatch(Duration.seconds(10))
      for (let run = 0; run < 3; run++) {
        const work = yield* Effect.forkChild(stopwatch.run(Effect.sleep("3 seconds")))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(work)
        yield* TestClock.adjust("1 hour")
      }
      const last = yield* Effect.forkChild(Effect.flip(stopwatch.run(Effect.sleep("3 seconds"))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(last))._tag, "RunTimeExceeded")
    })
  )

  it.effect("counts overlapping work once", () =>
    Effect.gen(function* () {
      const stopwatch = makeStopwatch(Duration.seconds(10))
      const both = yield* Effect.forkChild(
        Effect.all([stopwatch.run(Effect.sleep("6 seconds")), stopwatch.run(Effect.sleep("6 seconds"))], {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(both)
      const third = yield* Effect.forkChild(stopwatch.run(Effect.sleep("3 seconds")))
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(third)
    })
  )
})
