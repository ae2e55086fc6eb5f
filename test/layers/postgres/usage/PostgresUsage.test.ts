import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as PostgresStore from "../../../../src/layers/postgres/PostgresStore.ts"
import { usageStoreConformance } from "../../../conformance/usageStore.ts"
import { postgresBinaries, withoutPostgres } from "../../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../../support/postgres/store.ts"

if (postgresBinaries === undefined) {
  describe.skip(withoutPostgres, () => {})
} else {
  const database = emptied()
  usageStoreConformance(
    "The usage in Postgres",
    Layer.unwrap(
      Effect.map(database, (name) => Layer.fresh(PostgresStore.layerNoDeps).pipe(Layer.provide(databaseLayer(name))))
    )
  )
}
