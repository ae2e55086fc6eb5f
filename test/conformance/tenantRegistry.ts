import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TenantId } from "../../src/domain/Ids.ts"
import { PipelineName } from "../../src/domain/pipeline/Pipeline.ts"
import type { TenantLimits, TenantLimitsPatch } from "../../src/domain/tenant/TenantLimits.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { type TenantOverrides, TenantRegistry } from "../../src/services/TenantRegistry.ts"

export const acme = TenantId.make("acme")
export const globex = TenantId.make("globex")

export const limitsOf = (tenant: TenantId) => TenantRegistry.use((registry) => registry.limits(tenant))
export const update = (tenant: TenantId, patch: TenantLimitsPatch) =>
  TenantRegistry.use((registry) => registry.update(tenant, patch))

export const isPaused = (tenant: TenantId) => DocumentQueue.use((queue) => queue.isPaused(tenant))

/** Changes limits and the pause together; the limits that the tenant had each time the store was told of the pause. */
export const updateWith = Effect.fnUntraced(function* (tenant: TenantId, paused: boolean, patch: TenantLimitsPatch) {
  const registry = yield* TenantRegistry
  const queue = yield* DocumentQueue
  const seen: Array<TenantLimits> = []
  const write = Effect.gen(function* () {
    seen.push(yield* registry.limits(tenant))
    yield* queue.setPaused(tenant, paused)
  })
  return { limits: yield* registry.update(tenant, patch, { paused, write }), seen }
})

export const settings = EngineConfig.layer({ tenantDocuments: 3, queueSize: 400, documentPages: 7 })
const defaults = {
  documents: 3,
  weight: 1,
  backlog: 400,
  pages: 7,
  rate: undefined,
  burst: 1,
  maxStoredBytes: undefined
}

/**
 * What every registry promises. `layer` gives one that nothing was said to but the overrides, each time it is built, with the
 * documents whose tenants it describes.
 */
export const tenantRegistryConformance = (
  name: string,
  layer: (overrides: TenantOverrides) => Layer.Layer<TenantRegistry | DocumentQueue, unknown, EngineConfig>
) =>
  describe(name, () => {
    const test = (
      title: string,
      overrides: TenantOverrides,
      body: Effect.Effect<void, unknown, TenantRegistry | DocumentQueue>
    ) => it.effect(title, () => Effect.provide(body, Layer.provide(layer(overrides), settings)))

    test(
      "gives a tenant the engine's defaults when nothing was said of it",
      {},
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* limitsOf(acme), defaults)
      })
    )

    test(
      "puts a change before what was configured, and that before the defaults",
      { [acme]: { documents: 5, weight: 2 } },
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* limitsOf(acme), { ...defaults, documents: 5, weight: 2 })
        const changed = { ...defaults, documents: 5, weight: 0.5, backlog: 9 }
        assert.deepStrictEqual(yield* update(acme, { weight: 0.5, backlog: 9 }), changed)
        assert.deepStrictEqual(yield* limitsOf(acme), changed)
      })
    )

    test(
      "lets what a change does not name stay, and goes back to the default for null",
      { [acme]: { weight: 2 } },
      Effect.gen(function* () {
        yield* update(acme, { documents: 1, weight: 7, pages: 2 })
        assert.deepStrictEqual(yield* update(acme, {}), { ...defaults, documents: 1, weight: 7, pages: 2 })
        assert.deepStrictEqual(yield* update(acme, { documents: null, weight: null }), {
          ...defaults,
          weight: 2,
          pages: 2
        })
        assert.deepStrictEqual(yield* update(acme, { pages: null, burst: null }), { ...defaults, weight: 2 })
        assert.deepStrictEqual(yield* limitsOf(acme), { ...defaults, weight: 2 })
      })
    )

    test(
      "names a pipeline for a tenant's documents, and none when it is taken back",
      { [globex]: { pipeline: PipelineName.make("ocr") } },
      Effect.gen(function* () {
        const pipeline = PipelineName.make("summary")
        assert.deepStrictEqual(yield* update(acme, { pipeline }), { ...defaults, pipeline })
        assert.deepStrictEqual(yield* update(acme, { weight: 2 }), { ...defaults, weight: 2, pipeline })
        assert.deepStrictEqual(yield* limitsOf(acme), { ...defaults, weight: 2, pipeline })
        assert.deepStrictEqual(yield* update(acme, { pipeline: null }), { ...defaults, weight: 2 })
        yield* update(globex, { pipeline })
        assert.strictEqual((yield* update(globex, { pipeline: null })).pipeline, PipelineName.make("ocr"))
      })
    )

    test(
      "changes one tenant alone",
      {},
      Effect.gen(function* () {
        yield* update(acme, { documents: 1 })
        assert.deepStrictEqual(yield* limitsOf(globex), defaults)
      })
    )

    test(
      "lets ten seconds of a rate come at once, at least one document, unless the burst is given",
      { [acme]: { rate: 0.25 }, [globex]: { rate: 0.01, burst: 5 } },
      Effect.gen(function* () {
        assert.deepInclude(yield* limitsOf(acme), { rate: 0.25, burst: 3 })
        assert.deepInclude(yield* limitsOf(globex), { rate: 0.01, burst: 5 })
        assert.deepInclude(yield* update(acme, { rate: 20 }), { rate: 20, burst: 200 })
        assert.deepInclude(yield* update(acme, { rate: 0.001 }), { burst: 1 })
        assert.deepInclude(yield* update(acme, { burst: 30 }), { rate: 0.001, burst: 30 })
        assert.isTrue(Number.isSafeInteger((yield* update(acme, { rate: Number.MAX_VALUE, burst: null })).burst))
      })
    )

    test(
      "pauses a tenant before it has its new limits",
      {},
      Effect.gen(function* () {
        const { limits, seen } = yield* updateWith(acme, true, { documents: 9 })
        assert.deepInclude(limits, { documents: 9 })
        assert.deepStrictEqual(yield* limitsOf(acme), limits)
        assert.isTrue(yield* isPaused(acme))
        assert.isFalse(yield* isPaused(globex))
        for (const before of seen) assert.deepStrictEqual(before, defaults)
      })
    )

    test(
      "resumes a tenant only with its new limits",
      {},
      Effect.gen(function* () {
        yield* updateWith(acme, true, {})
        const { limits, seen } = yield* updateWith(acme, false, { documents: 1 })
        assert.deepInclude(limits, { documents: 1 })
        assert.isFalse(yield* isPaused(acme))
        for (const before of seen) assert.deepStrictEqual(before, limits)
      })
    )

    test(
      "leaves the pause as it is when a change does not name it",
      {},
      Effect.gen(function* () {
        yield* updateWith(acme, true, {})
        yield* update(acme, { documents: 1 })
        assert.isTrue(yield* isPaused(acme))
      })
    )

    test(
      "loses none of the changes that come at once",
      {},
      Effect.gen(function* () {
        yield* Effect.all(
          [update(acme, { documents: 1 }), update(acme, { weight: 2 }), update(acme, { rate: 3 }), update(globex, {})],
          { concurrency: "unbounded" }
        )
        assert.deepInclude(yield* limitsOf(acme), { documents: 1, weight: 2, rate: 3, burst: 30 })
      })
    )
  })
