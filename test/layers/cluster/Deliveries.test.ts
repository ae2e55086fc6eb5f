import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { TenantId } from "../../../src/domain/Ids.ts"
import { makeDeliveries } from "../../../src/layers/cluster/Deliveries.ts"
import type { News } from "../../../src/layers/cluster/Tenant.ts"

const tenant = TenantId.make("acme")
const wake = { _tag: "Wake" } as const

const ends = {
  "is interrupted by the runner that was called": Effect.interrupt,
  "is answered with a defect": Effect.die("a fault of the other runner"),
  fails: Effect.fail("gone")
}

describe("deliveries to tenants' actors", () => {
  for (const [what, end] of Object.entries(ends)) {
    it.effect(`go on when a call ${what}, and the message is sent once more`, () =>
      Effect.gen(function* () {
        const calls = yield* Queue.unbounded<News>()
        let count = 0
        const { tell } = yield* makeDeliveries((_tenant, news) =>
          Effect.andThen(Queue.offer(calls, news), () => (count++ === 0 ? end : Effect.void))
        )
        yield* tell(tenant, wake)
        assert.isTrue((yield* Queue.take(calls)).wake)
        assert.isTrue((yield* Queue.take(calls)).wake)
      })
    )

    it.effect(`leave later messages their way when each call ${what}`, () =>
      Effect.gen(function* () {
        const calls = yield* Queue.unbounded<News>()
        const { tell } = yield* makeDeliveries((_tenant, news) => Effect.andThen(Queue.offer(calls, news), end))
        for (let message = 0; message < 3; message++) {
          yield* tell(tenant, wake)
          yield* Queue.take(calls)
          yield* Queue.take(calls)
          // Until the delivery has ended, or has taken what is left.
          yield* Effect.yieldNow
        }
      })
    )
  }
})
