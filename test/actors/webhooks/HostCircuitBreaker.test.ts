import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { shortestDelayMillis } from "../../../src/actors/webhooks/DeliveryBackoff.ts"
import { makeHostCircuitBreaker } from "../../../src/actors/webhooks/HostCircuitBreaker.ts"
import type { TenantId } from "../../../src/domain/Ids.ts"
import { CallbackFailed, CallbackRefused } from "../../../src/services/CallbackSender.ts"
import { acme, globex } from "../../conformance/storeFixtures.ts"

const origin = "https://a.example"
const silence = Effect.fail(new CallbackFailed({ detail: "no connection" }))

/** What becomes of a call: its result, or the reason why it was not made. */
const makeBreaker = Effect.map(
  makeHostCircuitBreaker,
  (call) =>
    (
      tenant: TenantId,
      host = origin,
      does: Effect.Effect<string, CallbackFailed | CallbackRefused> = Effect.succeed("answered")
    ) =>
      Effect.match(call(tenant, host, does), { onSuccess: String, onFailure: (error) => error._tag })
)

describe("a host that did not answer", () => {
  it.effect("is not called for a while, for its tenant alone, and then by one call at a time", () =>
    Effect.gen(function* () {
      const call = yield* makeBreaker
      assert.strictEqual(yield* call(acme, origin, silence), "CallbackFailed")
      assert.strictEqual(yield* call(acme), "Deferred")
      assert.strictEqual(yield* call(acme, "https://b.example"), "answered")
      assert.strictEqual(yield* call(globex), "answered")
      yield* TestClock.adjust(shortestDelayMillis - 1)
      assert.strictEqual(yield* call(acme), "Deferred")
      yield* TestClock.adjust(1)
      const answer = yield* Deferred.make<string>()
      const probe = yield* Effect.forkChild(call(acme, origin, Deferred.await(answer)), { startImmediately: true })
      assert.strictEqual(yield* call(acme), "Deferred")
      yield* Deferred.succeed(answer, "answered")
      yield* Fiber.join(probe)
      assert.strictEqual(yield* call(acme), "answered")
    })
  )

  it.effect("is left alone for longer each time, up to a minute", () =>
    Effect.gen(function* () {
      const call = yield* makeBreaker
      for (const pause of [1, 2, 4]) {
        assert.strictEqual(yield* call(acme, origin, silence), "CallbackFailed")
        yield* TestClock.adjust(pause * shortestDelayMillis - 1)
        assert.strictEqual(yield* call(acme), "Deferred")
        yield* TestClock.adjust(1)
      }
      for (const _ of [1, 2, 3]) {
        assert.strictEqual(yield* call(acme, origin, silence), "CallbackFailed")
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(yield* call(acme), "answered")
    })
  )

  it.effect("is held against other hosts of the tenant once it is the fourth in a row", () =>
    Effect.gen(function* () {
      const call = yield* makeBreaker
      for (const n of [1, 2, 3, 4]) {
        assert.strictEqual(yield* call(acme), "answered")
        for (const host of [1, 2, 3]) yield* call(acme, `https://dead${n}${host}.example`, silence)
      }
      assert.strictEqual(yield* call(acme, "https://dead44.example", silence), "CallbackFailed")
      assert.strictEqual(yield* call(acme), "Deferred")
      assert.strictEqual(yield* call(globex), "answered")
      yield* TestClock.adjust(shortestDelayMillis)
      assert.strictEqual(yield* call(acme), "answered")
    })
  )

  it.effect("is not held against other hosts again and again", () =>
    Effect.gen(function* () {
      const call = yield* makeBreaker
      for (const _ of Array.from({ length: 10 })) {
        assert.strictEqual(yield* call(acme, origin, silence), "CallbackFailed")
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(yield* call(acme, "https://b.example"), "answered")
    })
  )

  it.effect("differs from one that must not be called, and from a defect", () =>
    Effect.gen(function* () {
      const call = yield* makeBreaker
      const refused = Effect.fail(new CallbackRefused({ detail: "not a public host" }))
      const mayChange = Effect.fail(new CallbackRefused({ detail: "no such name", mayChange: true }))
      assert.strictEqual(yield* call(acme, origin, refused), "CallbackRefused")
      yield* Effect.exit(call(acme, origin, Effect.die("a defect")))
      assert.strictEqual(yield* call(acme), "answered")
      assert.strictEqual(yield* call(acme, origin, mayChange), "CallbackRefused")
      assert.strictEqual(yield* call(acme), "Deferred")
    })
  )

  it.effect("is forgotten when thousands of hosts were called since", () =>
    Effect.gen(function* () {
      const call = yield* makeBreaker
      yield* call(acme, origin, silence)
      assert.strictEqual(yield* call(acme), "Deferred")
      for (let n = 0; n < 5_000; n++) yield* call(globex, `https://host${n}.example`)
      assert.strictEqual(yield* call(acme), "answered")
    })
  )
})
