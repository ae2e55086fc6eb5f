import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { TenantId } from "../../src/domain/Ids.ts"
import { EngineConfig } from "../../src/services/EngineConfig.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"

const limitsOf = (tenant: string, env: Record<string, string>) =>
  TenantRegistry.use((registry) => registry.limits(TenantId.make(tenant))).pipe(
    Effect.provide(TenantRegistry.layerFromEnv.pipe(Layer.provide(EngineConfig.layer({ tenantDocuments: 3 })))),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
  )

describe("TenantRegistry", () => {
  it.effect("gives a tenant what was said of it, and the defaults for the rest", () =>
    Effect.gen(function* () {
      const env = { TENANT_LIMITS: '{"acme":{"documents":5,"weight":2}}' }
      assert.deepInclude(yield* limitsOf("acme", env), { documents: 5, weight: 2, backlog: 10_000 })
      assert.deepInclude(yield* limitsOf("globex", env), { documents: 3, weight: 1 })
      assert.deepInclude(yield* limitsOf("acme", {}), { documents: 3, weight: 1 })
    })
  )

  for (const text of ["{]", '{"acme":{"docs":4}}', '{"acme":{"documents":0}}', '{"../x":{"documents":1}}']) {
    it.effect(`refuses TENANT_LIMITS=${text} by name`, () =>
      Effect.gen(function* () {
        assert.include(String(yield* Effect.flip(limitsOf("acme", { TENANT_LIMITS: text }))), "TENANT_LIMITS")
      })
    )
  }
})
