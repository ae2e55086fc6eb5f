import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { retryingStore } from "../../../src/actors/retries/RetryPolicies.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"

/** A call that fails with each of the errors in turn, and then succeeds; and how often it was made. */
const failing = <E>(...errors: ReadonlyArray<E>) => {
  let calls = 0
  const call = Effect.suspend(() => {
    const error = errors[calls++]
    return error === undefined ? Effect.succeed("done") : Effect.fail(error)
  })
  return { call, calls: () => calls }
}

const unavailable = new StoreUnavailable({ operation: "save pages", cause: "busy" })

describe("a call of the store", () => {
  it.effect("is made once if it succeeds, or fails for another reason", () =>
    Effect.gen(function* () {
      const good = failing<typeof unavailable>()
      assert.strictEqual(yield* retryingStore(good.call), "done")
      assert.strictEqual(good.calls(), 1)
      const bad = failing({ _tag: "Other" } as const)
      assert.deepStrictEqual(yield* Effect.flip(retryingStore(bad.call)), { _tag: "Other" })
      assert.strictEqual(bad.calls(), 1)
    })
  )

  it.effect("is made again after a pause while the store is unavailable", () =>
    Effect.gen(function* () {
      const { call, calls } = failing(unavailable, unavailable)
      const retried = yield* Effect.forkChild(retryingStore(call), { startImmediately: true })
      yield* TestClock.adjust("79 millis")
      assert.strictEqual(calls(), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(retried), "done")
      assert.strictEqual(calls(), 3)
    })
  )

  it.effect("fails after eight retries", () =>
    Effect.gen(function* () {
      const { call, calls } = failing(...Array.from({ length: 20 }, () => unavailable))
      const retried = yield* Effect.forkChild(retryingStore(call), { startImmediately: true })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* Effect.flip(Fiber.join(retried)), unavailable)
      assert.isAtMost(calls(), 9)
      assert.isAtLeast(calls(), 8)
    })
  )
})
