// The six symptoms of docs/budgets.md: each shown as it is without the setting that cures it, and with it.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { DownstreamFailure, FarSideTimeout } from "../../../src/services/downstreams/Downstreams.ts"
import { usageMemory } from "../../../src/services/downstreams/UsageStoreMemory.ts"
import { acme, call, downstreamsLayer, FarSide, stateOf, timed } from "../../support/downstreams.ts"

const calls = (count: number) => Array.from({ length: count }, (_, index) => index)
const unbounded = { concurrency: "unbounded" } as const

const percentile = (values: ReadonlyArray<number>, part: number) =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * part) - 1] ?? 0

/** A far side that takes all that comes, and is slower the more it has at once. */
const slowingDown = () => {
  let inUse = 0
  const times: Array<number> = []
  const ask = Effect.suspend(() => {
    inUse++
    const millis = 20 * Math.max(1, inUse / 4) ** 2
    times.push(millis)
    return Effect.ensuring(
      Effect.sleep(millis),
      Effect.sync(() => void inUse--)
    )
  })
  return { ask, times }
}

describe("p99 that rises while processors idle", () => {
  const run = (concurrency: number) =>
    Effect.gen(function* () {
      const farSide = slowingDown()
      yield* timed(Effect.forEach(calls(80), () => call("llm", { tenant: acme })(farSide.ask), unbounded))
      return percentile(farSide.times, 0.99)
    }).pipe(Effect.provide(downstreamsLayer({ llm: { concurrency, timeout: { whole: "1h" } } })))

  it.effect("comes from calls without a bound, and is cured by `concurrency`", () =>
    Effect.gen(function* () {
      assert.isAbove(yield* run(80), 4_000)
      assert.isBelow(yield* run(4), 50)
    })
  )
})

describe("calls that all time out together", () => {
  const run = (queue: number, maxWait: string) =>
    Effect.gen(function* () {
      const farSide = new FarSide(2)
      const work = Effect.forEach(
        calls(100),
        () => Effect.exit(call("parser", { tenant: acme })(farSide.ask("acme", 1_000))),
        unbounded
      )
      const waited = yield* timed(Effect.timeoutOption(work, "10 minutes"), 100)
      const { refusals } = yield* stateOf("parser")
      return { refusals, answered: farSide.answered, millis: waited.millis }
    }).pipe(Effect.provide(downstreamsLayer({ parser: { concurrency: 2, queue, maxWait } })))

  it.effect(
    "come from a queue that is too long, and are cured by `queue` and `maxWait`: few wait, the others know at once",
    () =>
      Effect.gen(function* () {
        const long = yield* run(1_000, "20s")
        assert.isAbove(long.refusals.max_wait, 50)
        const short = yield* run(10, "20s")
        assert.strictEqual(short.refusals.max_wait, 0)
        assert.strictEqual(short.refusals.queue_full, 90)
        assert.strictEqual(short.answered, 10)
      })
  )
})

describe("work lost on restart", () => {
  it.effect("does not take what was used with it: a budget of a day goes on where it stood", () =>
    Effect.gen(function* () {
      const usage = usageMemory()
      const settings = { llm: { tokens: { limit: 100, per: "1 day" }, onExhausted: "fail" } }
      const farSide = new FarSide(10)
      const spend = Effect.forEach(calls(3), () =>
        Effect.exit(call("llm", { tenant: acme, estimate: { tokens: 40 } })(farSide.askTokens(40)))
      )
      const first = yield* timed(spend).pipe(Effect.provide(downstreamsLayer(settings, { usage })))
      assert.isTrue(first.exit !== undefined)
      assert.strictEqual(farSide.answered, 2)
      // The process ends and wrote what was used; the next one finds it.
      yield* timed(spend).pipe(Effect.provide(downstreamsLayer(settings, { usage })))
      assert.strictEqual(farSide.answered, 2)
    })
  )
})

describe("a pool of connections that fan-out exhausts", () => {
  it.effect("is cured by `perTenant`: one tenant's documents take no more than their part", () =>
    Effect.gen(function* () {
      const pool = new FarSide(6)
      const of = (name: string, count: number) =>
        Effect.forEach(calls(count), () => call("db", { tenant: acme })(pool.ask(name, 100)), unbounded)
      yield* timed(of("acme", 60))
      assert.strictEqual(pool.most, 3)
      assert.strictEqual(pool.refused, 0)
    }).pipe(Effect.provide(downstreamsLayer({ db: { concurrency: 6, perTenant: { concurrency: 3 } } })))
  )
})

describe("a storm of 429s", () => {
  it.effect("is cured by a concurrency that follows them: few are refused, and none costs a page its retries", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(4, 500)
      const { exit } = yield* timed(
        Effect.forEach(calls(200), () => call("llm", { tenant: acme })(farSide.ask("acme", 60)), unbounded)
      )
      assert.isTrue(exit !== undefined && Exit.isSuccess(exit))
      assert.isBelow(farSide.refused, 10)
    }).pipe(Effect.provide(downstreamsLayer({ llm: { concurrency: { initial: 64, min: 1, max: 64 } } })))
  )

  it.effect("pauses all calls as long as `Retry-After` says, when it is not because too many came at once", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(0, 5_000)
      const work = Effect.forEach(calls(10), () => call("llm", { tenant: acme })(farSide.ask("acme", 10)), unbounded)
      const opens = Effect.andThen(
        Effect.sleep("4 seconds"),
        Effect.sync(() => (farSide.capacity = 10))
      )
      const { millis } = yield* timed(Effect.all([work, opens], unbounded))
      assert.strictEqual(farSide.refused, 1)
      assert.isAtLeast(millis, 5_000)
    }).pipe(Effect.provide(downstreamsLayer({ llm: { concurrency: 1, retry: { first: "10ms" } } })))
  )

  it.effect("costs no more than the budget, told by its code and when it is reset", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(10)
      const spend = call("llm", { tenant: acme, estimate: { cost: 0.4 } })(farSide.askCost(0.4))
      yield* timed(Effect.forEach(calls(2), () => spend))
      const failure = yield* Effect.flip(spend)
      assert.instanceOf(failure, DownstreamFailure)
      if (!(failure instanceof DownstreamFailure)) return
      assert.strictEqual(failure.code, "BUDGET_EXHAUSTED")
      assert.strictEqual(failure.onExhausted, "use:cheaper")
      assert.isFalse(failure.costsRetry)
      assert.isAtMost(failure.retryAfterMillis ?? 0, 3_600_000)
      assert.isAbove(failure.retryAfterMillis ?? 0, 0)
    }).pipe(Effect.provide(downstreamsLayer({ llm: { cost: { limit: 1, per: "1h" }, onExhausted: "use:cheaper" } })))
  )
})

describe("batch work that slows down the online class", () => {
  const run = (reserve: number) =>
    Effect.gen(function* () {
      const farSide = new FarSide(4)
      const batch = Effect.forEach(
        calls(40),
        () => call("llm", { tenant: acme })(farSide.ask("batch", 2_000)),
        unbounded
      )
      const online = Effect.andThen(
        Effect.sleep("1 second"),
        call("llm", { tenant: acme, class: "online" })(farSide.ask("online", 50))
      )
      yield* Effect.forkChild(batch, { startImmediately: true })
      return (yield* timed(online)).millis
    }).pipe(Effect.provide(downstreamsLayer({ llm: { concurrency: 4, reserve } })))

  it.effect("is cured by `reserve`: permits that batch calls never have", () =>
    Effect.gen(function* () {
      assert.isAtLeast(yield* run(0), 2_000)
      assert.isAtMost(yield* run(1), 1_100)
    })
  )
})

describe("A far side that hangs", () => {
  it.effect("ends in a time-out that costs a retry of the page, then the breaker opens and calls cost none", () =>
    Effect.gen(function* () {
      const codes: Array<string> = []
      for (const _ of calls(3)) {
        const { exit } = yield* timed(Effect.flip(call("ocr", { tenant: acme })(Effect.never)), 500)
        const failure = exit !== undefined && Exit.isSuccess(exit) ? exit.value : undefined
        if (failure instanceof DownstreamFailure) codes.push(`${failure.code} ${failure.costsRetry}`)
      }
      assert.deepStrictEqual(codes, ["STAGE_TIMEOUT true", "STAGE_TIMEOUT true", "DOWNSTREAM_UNAVAILABLE false"])
      const opened = yield* stateOf("ocr")
      assert.strictEqual(opened.breaker, "open")
      assert.strictEqual(opened.lastFailure?.message, "no answer within 2s")
      // After its time one call is tried, and its answer closes the breaker.
      yield* timed(Effect.sleep("10 seconds"), 500)
      yield* call("ocr", { tenant: acme })(Effect.void)
      assert.strictEqual((yield* stateOf("ocr")).breaker, "closed")
    }).pipe(
      Effect.provide(
        downstreamsLayer({
          ocr: { timeout: { whole: "2s" }, breaker: { failures: 2, open: "10s" }, onExhausted: "fail" }
        })
      )
    )
  )

  it.effect("keeps the page's own failures apart: they pass through at once and open nothing", () =>
    Effect.gen(function* () {
      for (const _ of calls(5)) {
        assert.strictEqual(yield* Effect.flip(call("ocr", { tenant: acme })(Effect.fail("unreadable"))), "unreadable")
      }
      assert.strictEqual((yield* stateOf("ocr")).breaker, "closed")
      const failure = yield* Effect.flip(call("ocr", { tenant: acme })(new FarSideTimeout({ detail: "late" })))
      assert.isTrue(failure instanceof DownstreamFailure && failure.code === "STAGE_TIMEOUT")
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { breaker: { failures: 2 } } })))
  )
})
