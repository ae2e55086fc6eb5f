import { Effect, Layer } from "effect"
import { join } from "node:path"
import * as SqliteSearchIndex from "../../../src/layers/search/SqliteSearchIndex.ts"
import * as SearchIndexMemory from "../../../src/services/search/SearchIndexMemory.ts"
import { searchIndexConformance } from "../../conformance/searchIndex.ts"
import { temporaryFolder } from "../../support/service.ts"

searchIndexConformance("in memory", SearchIndexMemory.layer)

searchIndexConformance(
  "SQLite",
  Layer.unwrap(Effect.map(temporaryFolder, (folder) => SqliteSearchIndex.layer(join(folder, "search.sqlite"))))
)
