// The search of a service, configured by the environment.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Config, Effect, Layer } from "effect"
import * as SearchLive from "../../actors/search/SearchLive.ts"
import { searchSettingsFromEnv } from "../../actors/search/SearchProtocol.ts"
import { clusterSettings } from "../config/ClusterConfig.ts"
import { StorageConfig } from "../config/Config.ts"
import * as HttpEmbedder from "./HttpEmbedder.ts"
import * as SqliteSearchIndex from "./SqliteSearchIndex.ts"

const SearchMode = Config.Literals(["on", "off"], "SEARCH").pipe(Config.withDefault("on"))

/** In `DATA_DIR`. The runners of a cluster would each have an index of a part of the documents: so there is none. */
export const layerIndexFromEnv = Layer.unwrap(
  Effect.gen(function* () {
    if ((yield* SearchMode) === "off" || (yield* clusterSettings) !== undefined) return Layer.empty
    const { directory } = yield* StorageConfig
    mkdirSync(directory, { recursive: true })
    return SqliteSearchIndex.layer(join(directory, "search.sqlite"))
  })
)

export const layerEmbedderFromEnv = HttpEmbedder.layerFromEnv

export const layerFromEnv = Layer.unwrap(Effect.map(searchSettingsFromEnv, SearchLive.layer))
