import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { UsageRecorder } from "../../../src/actors/usage/UsageRecorder.ts"
import { Day } from "../../../src/domain/downstream/Usage.ts"
import {
  DownstreamFailure,
  Downstreams,
  FarSideUnavailable,
  reportUsed
} from "../../../src/services/downstreams/Downstreams.ts"
import { UsageStore } from "../../../src/services/downstreams/UsageStore.ts"
import { acme, call, downstreamsLayer, FarSide, stateOf, tenant, timed } from "../../support/downstreams.ts"

const calls = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("A call", () => {
  it.effect("that is interrupted while it waits or runs gives back what it has at once", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const running = yield* Effect.forkChild(
        call("ocr", { tenant: acme })(Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
      )
      yield* Deferred.await(started)
      const waiting = yield* Effect.forkChild(call("ocr", { tenant: acme })(Effect.void), { startImmediately: true })
      assert.deepInclude(yield* stateOf("ocr"), { waiting: { online: 0, batch: 1 }, inUse: { online: 0, batch: 1 } })
      yield* Fiber.interrupt(waiting)
      assert.deepInclude(yield* stateOf("ocr"), { waiting: { online: 0, batch: 0 } })
      yield* Fiber.interrupt(running)
      assert.deepInclude(yield* stateOf("ocr"), { inUse: { online: 0, batch: 0 } })
      yield* call("ocr", { tenant: acme })(Effect.void)
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { concurrency: 1 } })))
  )

  it.effect("begins no sooner than its rate allows, after the burst", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(100)
      const { millis } = yield* timed(
        Effect.forEach(calls(12), () => call("api", { tenant: acme })(farSide.ask("acme", 10)), {
          concurrency: "unbounded"
        })
      )
      // Two at once, then ten more at four a second.
      assert.isAtLeast(millis, 2_500)
      assert.isAtMost(millis, 2_700)
    }).pipe(Effect.provide(downstreamsLayer({ api: { rate: { calls: 4, per: "1s", burst: 2 } } })))
  )

  it.effect("is tried again after lost connections, as often as the settings say", () =>
    Effect.gen(function* () {
      let tries = 0
      const lost = Effect.suspend(() => {
        tries++
        return Effect.fail(new FarSideUnavailable({ detail: "no connection" }))
      })
      const { exit } = yield* timed(Effect.flip(call("ocr", { tenant: acme })(lost)))
      assert.isTrue(exit !== undefined && Exit.isSuccess(exit) && exit.value.code === "DOWNSTREAM_UNAVAILABLE")
      assert.strictEqual(tries, 4)
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { retry: { times: 3 }, breaker: false } })))
  )

  it.effect("is not tried again when the far side asks for more time than there is", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(0, 600_000)
      const failure = yield* Effect.flip(call("ocr", { tenant: acme })(farSide.ask("acme", 10)))
      assert.instanceOf(failure, DownstreamFailure)
      assert.strictEqual(farSide.refused, 1)
      assert.deepInclude(failure, { code: "DOWNSTREAM_BUSY", retryAfterMillis: 600_000 })
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { retry: { within: "1m" } } })))
  )

  it.effect("of a name that is not declared fails by its code", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(call("orc", { tenant: acme })(Effect.void))
      assert.strictEqual(failure.code, "DOWNSTREAM_UNKNOWN")
    }).pipe(Effect.provide(downstreamsLayer({ ocr: {} })))
  )
})

describe("A change of a downstream", () => {
  it.effect("takes effect for calls that wait: a higher limit, a pause, a new budget", () =>
    Effect.gen(function* () {
      const downstreams = yield* Downstreams
      const farSide = new FarSide(100)
      yield* downstreams.change("ocr", { paused: true })
      const work = yield* Effect.forkChild(
        Effect.forEach(calls(8), () => call("ocr", { tenant: acme })(farSide.ask("acme", 100)), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* stateOf("ocr"), { paused: true, blocked: "paused", waiting: { online: 0, batch: 8 } })
      yield* downstreams.change("ocr", { paused: false, concurrency: 8 })
      yield* timed(Fiber.join(work))
      assert.strictEqual(farSide.most, 8)
      const wrong = yield* Effect.flip(downstreams.change("ocr", { reserve: 8 }))
      assert.strictEqual(wrong._tag, "InvalidChange")
      assert.strictEqual((yield* Effect.flip(downstreams.change("orc", {})))._tag, "UnknownDownstream")
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { concurrency: 1 } })))
  )
})

describe("What was used", () => {
  it.effect(
    "is recorded by tenant and day, also of calls that were interrupted, and written when the process stops",
    () =>
      Effect.gen(function* () {
        const today = Day.make("1970-01-01")
        const usage = yield* UsageStore
        yield* Effect.gen(function* () {
          const spend = Effect.andThen(Effect.sleep(200), reportUsed({ tokens: 30, cost: 0.5 }))
          yield* timed(call("llm", { tenant: acme })(spend))
          yield* timed(call("llm", { tenant: tenant("globex") })(Effect.timeoutOption(Effect.never, 100)))
          yield* UsageRecorder.use(({ flush }) => flush)
          yield* timed(call("llm", { tenant: acme })(spend))
        }).pipe(Effect.provide(downstreamsLayer({ llm: {} }, { usage })))
        const sums = yield* usage.sum({ from: today, to: today, by: "tenant", limit: 9 })
        assert.deepStrictEqual(
          sums.map(({ calls: count, cost, downstreamMillis, key, tokens }) => [
            key,
            count,
            downstreamMillis,
            tokens,
            cost
          ]),
          [
            ["acme", 2, 400, 60, 1],
            ["globex", 1, 100, 0, 0]
          ]
        )
      }).pipe(Effect.provide(downstreamsLayer({})))
  )

  it.effect("of a month is capped for a tenant, by a code that says when it begins anew", () =>
    Effect.gen(function* () {
      const ask = (name: string) => call("llm", { tenant: tenant(name) })(reportUsed({ tokens: 60 }))
      yield* ask("acme")
      yield* ask("acme")
      const failure = yield* Effect.flip(ask("acme"))
      assert.strictEqual(failure.code, "MONTHLY_CAP_REACHED")
      assert.strictEqual(failure.retryAfterMillis, 31 * 86_400_000)
      yield* ask("globex")
      assert.strictEqual((yield* stateOf("llm")).refusals.monthly_cap, 1)
    }).pipe(Effect.provide(downstreamsLayer({ llm: { perTenant: { monthly: { tokens: 100 } } } })))
  )
})
