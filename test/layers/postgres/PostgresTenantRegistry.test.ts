import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import * as PostgresTenantRegistry from "../../../src/layers/postgres/PostgresTenantRegistry.ts"
import { tenantRegistryConformance } from "../../conformance/tenantRegistry.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"

if (postgresBinaries === undefined) {
  describe.skip(withoutPostgres, () => {})
} else {
  const database = emptied()
  tenantRegistryConformance("The tenant registry on Postgres", (overrides) =>
    Layer.unwrap(
      Effect.map(database, (name) =>
        PostgresTenantRegistry.layerNoDeps(overrides).pipe(
          Layer.merge(PostgresStore.layerNoDeps),
          Layer.provide(databaseLayer(name))
        )
      )
    )
  )
}
