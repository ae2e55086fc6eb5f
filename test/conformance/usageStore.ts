import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Day, nothingUsed, type UsageRow } from "../../src/domain/downstream/Usage.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { UsageStore } from "../../src/services/downstreams/UsageStore.ts"

const acme = TenantId.make("acme")
const globex = TenantId.make("globex")
const day = (text: string) => Day.make(text)
const row = (tenantId: TenantId, of: string, resource: string, used: Partial<UsageRow>): UsageRow => ({
  ...nothingUsed,
  tenantId,
  day: day(of),
  resource,
  ...used
})

const rows = [
  row(acme, "2026-11-01", "ocr", { calls: 3, downstreamMillis: 1.5, tokens: 10, cost: 0.25 }),
  row(acme, "2026-11-01", "worker", { pages: 7, workerMillis: 20.5 }),
  row(acme, "2026-11-30", "ocr", { calls: 1 }),
  row(globex, "2026-11-02", "llm", { calls: 5, tokens: 1_000_000_000_000 })
]
const november = { from: day("2026-11-01"), to: day("2026-11-30"), limit: 100 }
const sum = UsageStore.use((store) => Effect.succeed(store.sum))

/** What every store of usage promises. `layer` gives an empty one each time it is built. */
export const usageStoreConformance = (name: string, layer: Layer.Layer<UsageStore, unknown>) =>
  describe(name, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, UsageStore>) =>
      it.effect(title, () => Effect.provide(body, layer))

    test(
      "adds to the row of the same tenant, day and resource",
      Effect.gen(function* () {
        const store = yield* UsageStore
        yield* store.add(rows)
        yield* Effect.all([store.add(rows), store.add(rows.slice(0, 1)), store.add([])], { concurrency: 3 })
        const [ocr] = yield* store.sum({ ...november, by: "downstream", tenant: acme })
        assert.deepStrictEqual(ocr, {
          key: "ocr",
          calls: 11,
          downstreamMillis: 4.5,
          tokens: 30,
          cost: 0.75,
          pages: 0,
          workerMillis: 0
        })
      })
    )

    test(
      "sums by tenant, by day and by resource, in the order of the keys",
      Effect.gen(function* () {
        const store = yield* UsageStore
        yield* store.add(rows)
        const keys = (by: "tenant" | "day" | "downstream") =>
          Effect.map(store.sum({ ...november, by }), (sums) => sums.map(({ calls, key, pages }) => [key, calls, pages]))
        assert.deepStrictEqual(yield* keys("tenant"), [
          ["acme", 4, 7],
          ["globex", 5, 0]
        ])
        assert.deepStrictEqual(yield* keys("day"), [
          ["2026-11-01", 3, 7],
          ["2026-11-02", 5, 0],
          ["2026-11-30", 1, 0]
        ])
        assert.deepStrictEqual(yield* keys("downstream"), [
          ["llm", 5, 0],
          ["ocr", 4, 0],
          ["worker", 0, 7]
        ])
      })
    )

    test(
      "sums only the days, the tenant and the resource that were asked for, in parts",
      Effect.gen(function* () {
        const store = yield* UsageStore
        yield* store.add(rows)
        const ask = yield* sum
        const from = day("2026-11-02")
        assert.deepStrictEqual(
          (yield* ask({ ...november, from, by: "tenant" })).map(({ calls }) => calls),
          [1, 5]
        )
        assert.deepStrictEqual(
          (yield* ask({ ...november, by: "day", resource: "ocr" })).map(({ key }) => key),
          ["2026-11-01", "2026-11-30"]
        )
        assert.deepStrictEqual(
          (yield* ask({ ...november, by: "day", limit: 1, after: "2026-11-01" })).map(({ key }) => key),
          ["2026-11-02"]
        )
        assert.deepStrictEqual(yield* ask({ from, to: from, by: "tenant", tenant: acme, limit: 9 }), [])
      })
    )

    test(
      "forgets the days before one",
      Effect.gen(function* () {
        const store = yield* UsageStore
        yield* store.add(rows)
        yield* store.forget(day("2026-11-02"))
        assert.deepStrictEqual(
          (yield* store.sum({ ...november, by: "day" })).map(({ key }) => key),
          ["2026-11-02", "2026-11-30"]
        )
      })
    )
  })
