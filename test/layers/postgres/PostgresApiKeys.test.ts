import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as PostgresApiKeys from "../../../src/layers/postgres/PostgresApiKeys.ts"
import { apiKeysConformance } from "../../conformance/apiKeys.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"

if (postgresBinaries === undefined) {
  describe.skip(withoutPostgres, () => {})
} else {
  const database = emptied()
  apiKeysConformance(
    "API keys on Postgres",
    Layer.unwrap(Effect.map(database, (name) => Layer.provide(PostgresApiKeys.layerNoDeps, databaseLayer(name))))
  )
}
