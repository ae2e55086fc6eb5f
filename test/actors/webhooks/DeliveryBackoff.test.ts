import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { delayMillis, maxAttempts, nextAttemptAt } from "../../../src/actors/webhooks/DeliveryBackoff.ts"

describe("the schedule of deliveries", () => {
  it("grows from seconds to hours and spans about a day", () => {
    const delays = Array.from({ length: maxAttempts - 1 }, (_, failed) => delayMillis(failed + 1) / 1000)
    assert.deepStrictEqual(delays, [10, 30, 90, 270, 810, 2430, 7290, 18_000, 18_000, 18_000, 18_000])
    const hours = delays.reduce((sum, delay) => sum + delay, 0) / 3600
    assert.isTrue(hours > 20 && hours < 28)
  })

  it.effect("is spread by a fifth, and ends after the last try", () =>
    Effect.gen(function* () {
      const delays = new Set<number>()
      for (let round = 0; round < 50; round++) {
        const at = yield* nextAttemptAt(3, 1_000, undefined)
        assert.isTrue(at !== undefined && at >= 1_000 + 72_000 && at <= 1_000 + 108_000)
        delays.add(at ?? 0)
      }
      assert.isAbove(delays.size, 10)
      assert.strictEqual(yield* nextAttemptAt(maxAttempts, 1_000, "5"), undefined)
    })
  )

  it.effect("waits as long as the receiver asks for, if that is longer, and at most a day", () =>
    Effect.gen(function* () {
      const now = Date.UTC(2030, 0, 1, 12)
      assert.strictEqual(yield* nextAttemptAt(1, now, "3600"), now + 3_600_000)
      assert.strictEqual(yield* nextAttemptAt(1, now, "Tue, 01 Jan 2030 13:00:00 GMT"), now + 3_600_000)
      assert.strictEqual(yield* nextAttemptAt(1, now, "99999999999"), now + 86_400_000)
      assert.isBelow((yield* nextAttemptAt(1, now, "1")) ?? 0, now + 12_001)
      for (const nothing of [undefined, "", "soon", "-5", "2030-01-01T13:00:00Z", "Tue, 01 Jan 2030 11:00:00 GMT"]) {
        assert.isBelow((yield* nextAttemptAt(1, now, nothing)) ?? 0, now + 12_001, nothing)
      }
    })
  )
})
