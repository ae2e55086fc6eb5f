import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import { documentStoreConformance } from "../../conformance/documentStore.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"

if (postgresBinaries === undefined) {
  describe.skip(withoutPostgres, () => {})
} else {
  const database = emptied()
  documentStoreConformance(
    "The document store on Postgres",
    Layer.unwrap(Effect.map(database, (name) => Layer.provide(PostgresStore.layerNoDeps, databaseLayer(name))))
  )
}
