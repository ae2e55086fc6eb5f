import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Deferred, Duration, Effect, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { LimitReached } from "../../../src/actors/Ingestion.ts"
import { RateLimits } from "../../../src/actors/admission/RateLimits.ts"
import type { TenantId } from "../../../src/domain/Ids.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, bytesOf, letPass, startEngine, tenant } from "../../support/engine.ts"

const scripts = {
  short: soundDocument(1, "1 second"),
  long: soundDocument(100, "1 second")
}
const options = { name: "a.pdf", force: true }
type Ingestion = Effect.Success<ReturnType<typeof startEngine>>["ingestion"]

/** How a submission was refused by a limit. */
const refusal = <A, E>(submission: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(submission), (error) => {
    if (!(error instanceof LimitReached)) return assert.fail(`refused otherwise: ${error}`)
    const { allowed, limit, retryAfterSeconds } = error
    return { limit, allowed, retryAfterSeconds }
  })

const unread = Stream.suspend(() => Stream.die("something was read"))

/** An upload of a kilobyte that has arrived but for its end, which comes when it is told. */
const pendingUpload = Effect.fnUntraced(function* (
  ingestion: Ingestion,
  owner: TenantId,
  end: Effect.Effect<Uint8Array, string>,
  size?: number
) {
  const arrived = yield* Deferred.make<void>()
  const head = new Uint8Array(1_000)
  head.set(bytesOf("short"))
  const rest = Effect.andThen(Deferred.succeed(arrived, undefined), end)
  const upload = yield* Effect.forkChild(
    ingestion.submit(owner, Stream.concat(Stream.make(head), Stream.fromEffect(rest)), { ...options, size }),
    { startImmediately: true }
  )
  yield* Deferred.await(arrived)
  return upload
})

describe("the rate of a tenant", () => {
  it.effect("refuses what comes too fast before anything of it is read, and fills up again", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, tenants: { [acme]: { rate: 0.5, burst: 2 } } })
      yield* engine.submit("short")
      yield* engine.submit("short")
      const refused = () => refusal(engine.ingestion.submit(acme, unread, options))
      assert.deepStrictEqual(yield* refused(), { limit: "tenant_rate", allowed: 0.5, retryAfterSeconds: 2 })
      // The second one that waits is promised the token after the first one's.
      assert.deepInclude(yield* refused(), { retryAfterSeconds: 4 })
      yield* engine.submit("short", tenant("other"))
      yield* TestClock.adjust("2 seconds")
      yield* engine.submit("short")
      assert.deepInclude(yield* refused(), { limit: "tenant_rate" })
      yield* TestClock.adjust("1 hour")
      yield* engine.submit("short")
      yield* engine.submit("short")
      assert.deepInclude(yield* refused(), { limit: "tenant_rate" })
    })
  )

  it.effect("holds for sources and retries too", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, tenants: { [acme]: { rate: 1, burst: 1 } } })
      const { id } = yield* engine.submit("short")
      const limit = { limit: "tenant_rate" as const }
      assert.deepInclude(yield* refusal(engine.ingestion.submitSource(acme, "a.pdf", {})), limit)
      assert.deepInclude(yield* refusal(engine.ingestion.retry(acme, id)), limit)
    })
  )

  it.effect("is not used up by what another limit refuses", () =>
    Effect.gen(function* () {
      const limits = { tenantDocuments: 1 }
      const engine = yield* startEngine({ scripts, limits, tenants: { [acme]: { rate: 0.001, burst: 3, backlog: 1 } } })
      yield* engine.submit("long")
      yield* TestClock.adjust("10 millis")
      const { id } = yield* engine.submit("long")
      for (let times = 0; times < 5; times++) {
        assert.deepInclude(yield* refusal(engine.submit("short")), { limit: "tenant_queue" })
      }
      yield* engine.ingestion.cancel(acme, id)
      yield* engine.submit("short")
    })
  )

  it.effect("counts at once when it is changed while the engine runs", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, tenants: { [acme]: { rate: 0.01, burst: 1 } } })
      yield* engine.submit("short")
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* refusal(engine.submit("short")), { limit: "tenant_rate", retryAfterSeconds: 99 })
      yield* engine.ingestion.setLimits(acme, { rate: 10 })
      yield* TestClock.adjust("100 millis")
      yield* engine.submit("short")
      yield* engine.ingestion.setLimits(acme, { rate: 0.1 })
      assert.deepInclude(yield* refusal(engine.submit("short")), { allowed: 0.1, retryAfterSeconds: 10 })
    })
  )

  const limits = { rate: 0.01, burst: 1 }

  it.effect("counts at once when it is raised, and for those who wait as well", () =>
    Effect.gen(function* () {
      const rates = yield* RateLimits
      yield* rates.take(acme, limits)
      assert.deepInclude(yield* refusal(rates.take(acme, limits)), { retryAfterSeconds: 100 })
      assert.deepInclude(yield* refusal(rates.take(acme, limits)), { retryAfterSeconds: 200 })
      const raised = { rate: 1, burst: 1 }
      assert.deepInclude(yield* refusal(rates.take(acme, raised)), { allowed: 1, retryAfterSeconds: 1 })
      yield* TestClock.adjust("1 second")
      yield* rates.take(acme, raised)
      yield* rates.take(acme, { rate: undefined, burst: 1 })
    }).pipe(Effect.provide(RateLimits.layer))
  )

  it.effect("tells how long the next token takes, also when that is longer than any estimate may be", () =>
    Effect.gen(function* () {
      const rates = yield* RateLimits
      const rare = { rate: 1 / 3_600, burst: 1 }
      yield* rates.take(acme, rare)
      // The second of two who wait is let in after the first, if both obey.
      assert.deepInclude(yield* refusal(rates.take(acme, rare)), { retryAfterSeconds: 3_600 })
      assert.deepInclude(yield* refusal(rates.take(acme, rare)), { retryAfterSeconds: 7_200 })
      // Of those behind them nobody knows whether they come.
      for (let n = 0; n < 100; n++) yield* refusal(rates.take(acme, rare))
      assert.deepInclude(yield* refusal(rates.take(acme, rare)), { retryAfterSeconds: 7_200 })
      yield* TestClock.adjust("1 hour")
      yield* rates.take(acme, rare)
      yield* TestClock.adjust("1 hour")
      yield* rates.take(acme, rare)
    }).pipe(Effect.provide(RateLimits.layer))
  )

  it.effect("tells a time that a header can hold, however low it is", () =>
    Effect.gen(function* () {
      const rates = yield* RateLimits
      for (const rate of [1e-9, 1e-300]) {
        const never = { rate, burst: 1 }
        const owner = tenant(`rate-${rate}`)
        yield* rates.take(owner, never)
        for (let n = 0; n < 3; n++) {
          const { retryAfterSeconds } = yield* refusal(rates.take(owner, never))
          assert.isAtLeast(retryAfterSeconds, 1e9 - 1)
          assert.isAtMost(retryAfterSeconds, 2 ** 31 - 1)
        }
      }
    }).pipe(Effect.provide(RateLimits.layer))
  )

  it.effect("remembers only tenants that have used some of it", () =>
    Effect.gen(function* () {
      const rates = yield* RateLimits
      for (let n = 0; n < 1_000; n++) yield* rates.take(tenant(`t${n}`), limits)
      assert.strictEqual(rates.size(), 1_000)
      yield* TestClock.adjust("200 seconds")
      yield* rates.take(acme, limits)
      assert.strictEqual(rates.size(), 1)
    }).pipe(Effect.provide(RateLimits.layer))
  )

  it.effect("lets every client in at its first try when all obey, even if they all come back in the same moments", () =>
    Effect.gen(function* () {
      const rates = yield* RateLimits
      for (const fast of [
        { rate: 3, burst: 2 },
        { rate: 50, burst: 5 },
        { rate: 0.7, burst: 1 }
      ]) {
        const owner = tenant(`rate-${fast.rate}`)
        const client = Effect.gen(function* () {
          for (let tries = 0; ; tries++) {
            const answer = yield* Effect.result(rates.take(owner, fast))
            if (Result.isSuccess(answer)) return tries
            yield* Effect.sleep(Duration.seconds(answer.failure.retryAfterSeconds))
          }
        })
        const all = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: 30 }, () => client),
            { concurrency: 30 }
          )
        )
        const tries = yield* letPass(all, "1 second")
        assert.isAtMost(Math.max(...tries), 1, `${fast.rate}: ${tries.join(" ")}`)
      }
    }).pipe(Effect.provide(RateLimits.layer))
  )
})

const kibibytes = (tenantBytes: number, all: number) => ({
  tenantBytesInFlight: ByteSize.kibibytes(tenantBytes),
  bytesInFlight: ByteSize.kibibytes(all)
})

describe("the bytes in flight", () => {
  it.effect("refuse a tenant that uploads too much at once, and then all of them", () =>
    Effect.gen(function* () {
      const { ingestion } = yield* startEngine({ scripts, limits: kibibytes(2, 3) })
      const uploads = [
        yield* pendingUpload(ingestion, acme, Effect.never, 1_500),
        // Its size is not known.
        yield* pendingUpload(ingestion, tenant("b"), Effect.never)
      ]
      const known = { ...options, size: 1_000 }
      assert.deepStrictEqual(yield* refusal(ingestion.submit(acme, unread, known)), {
        limit: "tenant_bytes",
        allowed: 2_048,
        retryAfterSeconds: 5
      })
      assert.deepInclude(yield* refusal(ingestion.submit(tenant("c"), unread, known)), {
        limit: "global_bytes",
        allowed: 3_072
      })
      // Without a known size it is counted while it comes.
      const large = Stream.make(bytesOf("short"), new Uint8Array(1_000))
      assert.deepInclude(yield* refusal(ingestion.submit(tenant("c"), large, options)), { limit: "global_bytes" })
      yield* Fiber.interruptAll(uploads)
    })
  )

  it.effect("tell when to come back by how fast uploads end while there are any", () =>
    Effect.gen(function* () {
      const { ingestion } = yield* startEngine({ scripts, limits: kibibytes(1, 4) })
      const upload = Effect.fnUntraced(function* (takes: Duration.Input) {
        const end = yield* Deferred.make<Uint8Array, string>()
        const pending = yield* pendingUpload(ingestion, acme, Deferred.await(end), 1_001)
        yield* TestClock.adjust(takes)
        const refused = yield* refusal(ingestion.submit(acme, unread, { ...options, size: 1_001 }))
        yield* Deferred.succeed(end, new Uint8Array(1))
        yield* Fiber.join(pending)
        return refused
      })
      // Each takes 4 seconds, and nothing is uploaded in the seconds between two.
      yield* upload("4 seconds")
      for (const pause of ["20 seconds", "29 seconds", "3 seconds"] as const) {
        yield* TestClock.adjust(pause)
        assert.deepInclude(yield* upload("4 seconds"), { limit: "tenant_bytes", retryAfterSeconds: 4 })
      }
    })
  )

  for (const [how, finish] of [
    ["is interrupted", (upload: Fiber.Fiber<unknown, unknown>) => Fiber.interrupt(upload)],
    ["fails", (_: unknown, end: Deferred.Deferred<Uint8Array, string>) => Deferred.fail(end, "cut")],
    [
      "is committed",
      (_: unknown, end: Deferred.Deferred<Uint8Array, string>) => Deferred.succeed(end, new Uint8Array(1))
    ]
  ] as const) {
    it.effect(`are released when an upload ${how}`, () =>
      Effect.gen(function* () {
        const { ingestion } = yield* startEngine({ scripts, limits: kibibytes(1, 4) })
        const end = yield* Deferred.make<Uint8Array, string>()
        const upload = yield* pendingUpload(ingestion, acme, Deferred.await(end))
        const more = { ...options, size: 1_000 }
        assert.deepInclude(yield* refusal(ingestion.submit(acme, unread, more)), { limit: "tenant_bytes" })
        yield* finish(upload, end)
        yield* Fiber.await(upload)
        yield* ingestion.submit(acme, Stream.make(bytesOf("short")), more)
      })
    )
  }

  it.effect("let a single upload in that is larger than all of them, and refuse the others meanwhile", () =>
    Effect.gen(function* () {
      const { ingestion } = yield* startEngine({ scripts, limits: kibibytes(1, 1) })
      const end = yield* Deferred.make<Uint8Array, string>()
      const upload = yield* pendingUpload(ingestion, acme, Deferred.await(end), 50_000)
      assert.deepInclude(yield* refusal(ingestion.submit(acme, unread, options)), { limit: "tenant_bytes" })
      assert.deepInclude(yield* refusal(ingestion.submit(tenant("b"), unread, options)), { limit: "global_bytes" })
      yield* Deferred.succeed(end, new Uint8Array(49_000))
      yield* Fiber.join(upload)
    })
  )

  it.effect("are not asked for by an upload that is known to be too large", () =>
    Effect.gen(function* () {
      const { ingestion } = yield* startEngine({ scripts, limits: { uploadSize: ByteSize.kibibytes(1) } })
      const refused = yield* Effect.flip(ingestion.submit(acme, unread, { ...options, size: 1_025 }))
      assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, "TOO_LARGE")
    })
  )
})

describe("the time after which to come back to a full queue", () => {
  /** A tenant whose documents run one after the other, with a full queue. */
  const fullQueue = Effect.fnUntraced(function* (backlog: number) {
    const engine = yield* startEngine({
      scripts,
      limits: { tenantDocuments: 1, queueSize: 1_000 },
      tenants: { [acme]: { backlog } }
    })
    yield* engine.submit("short")
    yield* TestClock.adjust("10 millis")
    for (let n = 0; n < backlog; n++) yield* engine.submit("short")
    return engine
  })

  it.effect("lets every one of 30 clients in at the first or second try after a refusal when all obey", () =>
    Effect.gen(function* () {
      const engine = yield* fullQueue(10)
      const client = Effect.gen(function* () {
        for (let tries = 0; ; tries++) {
          const answer = yield* Effect.result(engine.submit("short"))
          if (Result.isSuccess(answer)) return tries
          const { limit, retryAfterSeconds } = yield* refusal(Effect.fail(answer.failure))
          assert.strictEqual(limit, "tenant_queue")
          yield* Effect.sleep(Duration.seconds(retryAfterSeconds))
        }
      })
      const clients = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 30 }, () => client),
          { concurrency: "unbounded" }
        )
      )
      const tries: ReadonlyArray<number> = yield* letPass(clients, "100 millis")
      assert.isAtMost(Math.max(...tries), 2, `tries: ${tries.join(" ")}`)
      assert.isAtLeast(Math.min(...tries), 1)
    })
  )

  it.effect("comes from how fast that very queue drains", () =>
    Effect.gen(function* () {
      const quick = tenant("quick")
      const engine = yield* startEngine({
        scripts: { slow: soundDocument(1, "4 seconds"), quick: soundDocument(1, "500 millis") },
        limits: { tenantDocuments: 1, queueSize: 1_000 },
        tenants: { [acme]: { backlog: 20 }, [quick]: { backlog: 50 } }
      })
      const waits: Record<string, number> = {}
      for (const [script, owner, backlog] of [
        ["slow", acme, 20],
        ["quick", quick, 50]
      ] as const) {
        for (let n = 0; n < backlog; n++) yield* engine.submit(script, owner)
      }
      for (let steps = 0; steps < 200; steps++) yield* TestClock.adjust("100 millis")
      for (const [script, owner] of [
        ["slow", acme],
        ["quick", quick]
      ] as const) {
        const { processed } = yield* engine.store.stats(owner)
        while ((yield* Effect.exit(engine.submit(script, owner)))._tag === "Success") continue
        waits[script] = (yield* refusal(engine.submit(script, owner))).retryAfterSeconds
        // The second promise: twice a place, and a little more.
        const expected = (2 * 20 * 1.1) / processed
        assert.isAtLeast(waits[script], Math.floor(expected), script)
        assert.isAtMost(waits[script], Math.ceil(expected) + 1, script)
      }
      assert.isAbove(waits["slow"] ?? 0, waits["quick"] ?? 0)
    })
  )

  it.effect("is the longest for a tenant that is paused", () =>
    Effect.gen(function* () {
      const engine = yield* fullQueue(2)
      yield* engine.ingestion.pause(acme)
      assert.deepInclude(yield* refusal(engine.submit("short")), { limit: "tenant_queue", retryAfterSeconds: 300 })
    })
  )

  it.effect("does not grow for a tenant because another one asks and asks", () =>
    Effect.gen(function* () {
      const limits = { tenantDocuments: 1, globalDocuments: 1, queueSize: 3 }
      const engine = yield* startEngine({ scripts, limits })
      yield* engine.submit("long")
      yield* TestClock.adjust("10 millis")
      for (const name of ["a", "b", "c"]) yield* engine.submit("short", tenant(name))
      for (let times = 0; times < 1_000; times++) yield* refusal(engine.submit("short", tenant("flood")))
      assert.deepStrictEqual(yield* refusal(engine.submit("short", tenant("flood"))), {
        limit: "global_queue",
        allowed: 3,
        retryAfterSeconds: 300
      })
      const quiet = yield* refusal(engine.submit("short", tenant("quiet")))
      assert.isAtMost(quiet.retryAfterSeconds, 3)
    })
  )
})
