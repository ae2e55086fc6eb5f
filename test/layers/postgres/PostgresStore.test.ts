import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import { storeConformance } from "../../conformance/store.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"

if (postgresBinaries === undefined) {
  describe.skip(withoutPostgres, () => {})
} else {
  const database = emptied()
  storeConformance(
    "The store on Postgres",
    Layer.unwrap(Effect.map(database, (name) => Layer.provide(PostgresStore.layerNoDeps, databaseLayer(name))))
  )
}
