import { Effect, Layer } from "effect"
import * as ApiKeysMemory from "../../../src/services/apiKeys/ApiKeysMemory.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { makeLimitRows, TenantRegistry } from "../../../src/services/TenantRegistry.ts"
import { twoInstancesConformance } from "./suite.ts"

/** The store in memory caches nothing, so both have the same one. Limits and keys are held by each over shared rows. */
twoInstancesConformance(
  "Two instances over one store in memory",
  Effect.gen(function* () {
    const store = yield* Layer.build(StoreMemory.layerMemory)
    const rows = makeLimitRows()
    const keys = ApiKeysMemory.makeKeptKeys()
    const instance = Effect.suspend(() =>
      Layer.build(
        Layer.fresh(
          Layer.mergeAll(Layer.succeedContext(store), TenantRegistry.layer({}, rows), ApiKeysMemory.layerOver(keys))
        ).pipe(Layer.provide(EngineConfig.layer()))
      )
    )
    return [yield* instance, yield* instance] as const
  })
)
