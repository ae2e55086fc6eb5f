import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { layerMemory } from "../../src/services/store/memory/StoreMemory.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { acme, globex, limitsOf, settings, tenantRegistryConformance } from "../conformance/tenantRegistry.ts"

tenantRegistryConformance("The tenant registry in memory", (overrides) =>
  Layer.merge(TenantRegistry.layer(overrides), layerMemory)
)

describe("The tenant registry in memory", () => {
  for (const paused of [true, false]) {
    it.effect(`changes no limits when the tenant cannot be ${paused ? "paused" : "resumed"}`, () =>
      Effect.gen(function* () {
        const registry = yield* TenantRegistry
        const before = yield* registry.update(acme, { weight: 3 })
        const write = Effect.fail(new StoreUnavailable({ operation: "pause", cause: "disk on fire" }))
        yield* Effect.flip(registry.update(acme, { weight: 4, documents: 1 }, { paused, write }))
        assert.deepStrictEqual(yield* registry.limits(acme), before)
      }).pipe(Effect.provide(Layer.provide(TenantRegistry.layer(), settings)))
    )
  }
})

const provided = (env: Record<string, string>) =>
  Effect.provide(
    TenantRegistry.layerFromEnv.pipe(
      Layer.provide(settings),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    )
  )

describe("TENANT_LIMITS", () => {
  it.effect("gives a tenant what it says of it, and the defaults for the rest", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* limitsOf(acme), { documents: 5, weight: 2, pages: 1, rate: 2, burst: 4, backlog: 400 })
      assert.deepInclude(yield* limitsOf(globex), { documents: 3, weight: 1 })
    }).pipe(provided({ TENANT_LIMITS: '{"acme":{"documents":5,"weight":2,"pages":1,"rate":2,"burst":4}}' }))
  )

  it.effect("may be absent", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* limitsOf(acme), { documents: 3, weight: 1 })
    }).pipe(provided({}))
  )

  for (const text of [
    "{]",
    '{"acme":{"docs":4}}',
    '{"acme":{"documents":0}}',
    '{"acme":{"weight":1001}}',
    '{"acme":{"weight":0}}',
    '{"acme":{"rate":-1}}',
    '{"acme":{"burst":1.5}}',
    '{"acme":{"pages":null}}',
    '{"../x":{"documents":1}}'
  ]) {
    it.effect(`=${text} is refused by name`, () =>
      Effect.gen(function* () {
        const refused = yield* Effect.flip(limitsOf(acme).pipe(provided({ TENANT_LIMITS: text })))
        assert.include(String(refused), "TENANT_LIMITS")
      })
    )
  }
})
