import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Layer } from "effect"
import * as SqliteApiKeys from "../../../src/layers/sqlite/SqliteApiKeys.ts"
import * as SqliteStore from "../../../src/layers/sqlite/SqliteStore.ts"
import * as SqliteTenantRegistry from "../../../src/layers/sqlite/SqliteTenantRegistry.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { keyCache } from "./fixtures.ts"
import { twoInstancesConformance } from "./suite.ts"

/**
 * Two connections to one file, with everything above them separate, as in two processes. One process can have both: a
 * transaction is one synchronous call and is never held while something else is awaited, so neither connection waits for the
 * other's lock. Only the migration holds one over several steps; so the second instance is made when the first is there.
 */
twoInstancesConformance(
  "Two instances over one SQLite file",
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const filename = `${yield* files.makeTempDirectoryScoped()}/shared.db`
    const instance = Layer.build(
      Layer.fresh(
        SqliteTenantRegistry.layerNoDeps().pipe(
          Layer.provideMerge(SqliteApiKeys.layerNoDepsWith({ cacheFor: keyCache })),
          Layer.provideMerge(SqliteStore.layerNoDeps),
          Layer.provide(SqliteStore.layerDatabase({ filename })),
          Layer.provide(EngineConfig.layer())
        )
      )
    )
    return [yield* instance, yield* instance] as const
  }).pipe(Effect.provide(NodeFileSystem.layer))
)
