import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as PostgresApiKeys from "../../../src/layers/postgres/PostgresApiKeys.ts"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import * as PostgresTenantRegistry from "../../../src/layers/postgres/PostgresTenantRegistry.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"
import { keyCache } from "./fixtures.ts"
import { twoInstancesConformance } from "./suite.ts"

/** Each has a pool of its own, as in a process of its own. */
if (postgresBinaries === undefined) {
  describe.skip(withoutPostgres, () => {})
} else {
  const database = emptied()
  twoInstancesConformance(
    "Two instances over one Postgres database",
    Effect.gen(function* () {
      const name = yield* database
      const instance = Layer.build(
        Layer.fresh(
          Layer.mergeAll(
            PostgresTenantRegistry.layerNoDeps(),
            PostgresApiKeys.layerNoDepsWith({ cacheFor: keyCache }),
            PostgresStore.layerNoDeps
          ).pipe(Layer.provide(databaseLayer(name)), Layer.provide(EngineConfig.layer()))
        )
      )
      return [yield* instance, yield* instance] as const
    })
  )
}
