import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Day, nothingUsed } from "../../src/domain/downstream/Usage.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { UsageStore } from "../../src/services/downstreams/UsageStore.ts"
import { assertProblem, get, patchJson, testServer } from "./client.ts"

describe("Downstreams over HTTP", () => {
  it.effect("are shown, and changed at once", () =>
    Effect.gen(function* () {
      const list = yield* get("/v1/downstreams")
      assert.strictEqual(list.status, 200, list.text)
      const changed = yield* patchJson("/v1/downstreams/ocr", { concurrency: 9, tokens: { limit: 50, per: "1h" } })
      assert.strictEqual(changed.status, 200, changed.text)
      const now = yield* get("/v1/downstreams/ocr")
      assert.deepInclude(now.json, { name: "ocr", limit: 9, breaker: "closed", usedIn: "tokens" })
      assertProblem(yield* patchJson("/v1/downstreams/ocr", { reserve: 9 }), 400, "INVALID_REQUEST")
      assertProblem(yield* patchJson("/v1/downstreams/ocr", { concurency: 9 }), 400, "INVALID_REQUEST")
      assertProblem(yield* get("/v1/downstreams/orc"), 404, "DOWNSTREAM_NOT_FOUND")
    }).pipe(Effect.provide(testServer))
  )
})

describe("Usage over HTTP", () => {
  it.effect("is that of the tenant, or of all", () =>
    Effect.gen(function* () {
      const row = { ...nothingUsed, day: Day.make("2026-11-30"), resource: "ocr", calls: 2, cost: 0.5 }
      yield* UsageStore.use((store) =>
        store.add([
          { ...row, tenantId: TenantId.make("default") },
          { ...row, tenantId: TenantId.make("acme") }
        ])
      )
      const days = "from=2026-11-01&to=2026-11-30"
      const { usage } = Object(yield* Effect.map(get(`/v1/usage?${days}&by=downstream`), ({ json }) => json))
      assert.deepInclude(usage[0], { key: "ocr", calls: 2, cost: 0.5 })
      const all = yield* get(`/v1/usage?${days}&by=tenant&scope=all&limit=1`)
      assert.deepInclude(all.json, { nextCursor: "acme" })
      assertProblem(yield* get("/v1/usage?from=2026-02-30"), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(testServer))
  )
})
