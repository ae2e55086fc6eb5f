import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ConfigProvider, Effect, Layer, Logger } from "effect"
import { HttpServer } from "effect/http"
import * as NodeServer from "../src/http/edge/NodeServer.ts"
import { FairShares } from "../src/actors/scheduling/FairShares.ts"
import * as Server from "../src/http/Server.ts"
import * as Engine from "../src/layers/Engine.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-bench-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** The whole service on a free loopback port and a folder of its own, silent; its shares are there to be measured. */
export const layerServiceWith = (environment: Readonly<Record<string, string>>) =>
  Layer.unwrap(
    Effect.map(temporaryFolder, (directory) =>
      Server.layer.pipe(
        Layer.provideMerge(Engine.layer),
        // The engine's own: a layer is built once.
        Layer.provideMerge(FairShares.layer),
        Layer.provideMerge(NodeServer.layer),
        Layer.provide([
          ConfigProvider.layer(
            ConfigProvider.fromEnv({
              env: { DATA_DIR: directory, PORT: "0", QUEUE_MAXSIZE: "1000000", ...environment }
            })
          ),
          Logger.layer([])
        ])
      )
    )
  )

export const layerService = layerServiceWith({})

export const serviceUrl = Effect.map(HttpServer.HttpServer, (server) => HttpServer.formatAddress(server.address))
