import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { TenantId } from "../../src/domain/Ids.ts"
import { makeRefusalPace } from "../../src/http/RefusalPace.ts"

const flooder = TenantId.make("flooder")

describe("the pace of refusals", () => {
  it.effect("slows down a tenant that keeps sending, and nobody else", () =>
    Effect.gen(function* () {
      const pace = makeRefusalPace()
      for (let times = 0; times < 20; times++) yield* pace(flooder)
      const slowed = yield* Effect.forkChild(pace(flooder), { startImmediately: true })
      yield* pace(TenantId.make("other"))
      yield* TestClock.adjust("249 millis")
      assert.isUndefined(slowed.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(slowed.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* pace(flooder)
    })
  )
})
