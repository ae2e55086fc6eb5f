import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, downstreamsLayer, FarSide, stateOf, tenant, timed } from "../../support/downstreams.ts"

const calls = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("The limit of a downstream", () => {
  for (const initial of [1, 4, 16, 64]) {
    it.effect(`finds what the far side takes at once, beginning with ${initial}`, () =>
      Effect.gen(function* () {
        const farSide = new FarSide(4)
        const work = Effect.forEach(
          calls(400),
          (index) => call("ocr", { tenant: tenant(`t${index % 10}`) })(farSide.ask("all", 60)),
          { concurrency: "unbounded" }
        )
        const { millis } = yield* timed(work)
        const ideal = (400 * 60) / 4
        assert.strictEqual(farSide.answered, 400)
        assert.isBelow(millis / ideal, 1.15)
        assert.isBelow(farSide.refused / 400, 0.02)
      }).pipe(Effect.provide(downstreamsLayer({ ocr: { concurrency: { initial, min: 1, max: 64 } } })))
    )
  }

  it.effect("falls when the far side takes less, and rises again when it takes more", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(8)
      const some = (count: number) =>
        timed(
          Effect.forEach(calls(count), () => call("ocr", { tenant: tenant("acme") })(farSide.ask("acme", 50)), {
            concurrency: "unbounded"
          })
        )
      yield* some(200)
      assert.strictEqual((yield* stateOf("ocr")).limit, 8)
      farSide.capacity = 2
      yield* some(100)
      assert.isAtMost((yield* stateOf("ocr")).limit, 3)
      farSide.capacity = 6
      yield* some(900)
      assert.isAtLeast((yield* stateOf("ocr")).limit, 5)
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { concurrency: { initial: 8, min: 1, max: 64 } } })))
  )
})

/** Jain's index of the values. */
const jain = (values: ReadonlyArray<number>) => {
  const sum = values.reduce((one, other) => one + other, 0)
  return (sum * sum) / (values.length * values.reduce((squares, value) => squares + value * value, 0))
}

describe("Tenants that share a downstream", () => {
  it.effect("get the same time of it, however many calls of whatever length each has", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(4)
      const owners = calls(10).map((index) => ({ name: `t${index}`, millis: 20 + 23 * index }))
      // More than can be done in the time, by each.
      const work = Effect.forEach(
        owners.flatMap((owner) => calls(Math.ceil(12_000 / owner.millis)).map(() => owner)),
        ({ millis, name }) => call("ocr", { tenant: tenant(name) })(farSide.ask(name, millis)),
        { concurrency: "unbounded", discard: true }
      )
      yield* timed(Effect.timeoutOption(work, "20 seconds"))
      assert.isAtLeast(jain(owners.map(({ name }) => farSide.millisOf.get(name) ?? 0)), 0.99)
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { concurrency: 4, queue: 10_000 } })))
  )

  it.effect("get time by their weights, 1 to 2 to 4", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(4)
      const weights = { one: 1, two: 2, four: 4 }
      const work = Effect.forEach(
        Object.keys(weights).flatMap((name) => calls(2_000).map(() => name)),
        (name) => call("ocr", { tenant: tenant(name) })(farSide.ask(name, 50)),
        { concurrency: "unbounded", discard: true }
      )
      yield* timed(Effect.timeoutOption(work, "25 seconds"))
      const all = [...farSide.millisOf.values()].reduce((sum, millis) => sum + millis, 0)
      for (const [name, weight] of Object.entries(weights)) {
        const share = (farSide.millisOf.get(name) ?? 0) / all
        assert.isBelow(Math.abs(share / (weight / 7) - 1), 0.03, `${name} got ${share}`)
      }
    }).pipe(
      Effect.provide(
        downstreamsLayer(
          { ocr: { concurrency: 4, queue: 10_000 } },
          { tenants: { [tenant("two")]: { weight: 2 }, [tenant("four")]: { weight: 4 } } }
        )
      )
    )
  )

  it.effect("have no more calls under way than their cap, and others take what is left", () =>
    Effect.gen(function* () {
      const farSide = new FarSide(100)
      const most = new Map<string, number>()
      const work = Effect.forEach(
        ["capped", "free"].flatMap((name) => calls(30).map(() => name)),
        (name) =>
          call("ocr", { tenant: tenant(name) })(
            Effect.tap(farSide.ask(name, 50), () =>
              Effect.map(stateOf("ocr"), ({ tenants }) => {
                for (const { inUse, tenantId } of tenants) most.set(tenantId, Math.max(most.get(tenantId) ?? 0, inUse))
              })
            )
          ),
        { concurrency: "unbounded" }
      )
      yield* timed(work)
      assert.strictEqual(most.get("capped"), 2)
      assert.strictEqual(most.get("free"), 6)
      assert.strictEqual(farSide.answered, 60)
    }).pipe(Effect.provide(downstreamsLayer({ ocr: { concurrency: 8, tenants: { capped: { concurrency: 2 } } } })))
  )
})
