// The service over the durable store in a folder, with workers that follow a script; and a client of its event streams.
import { NodeHttpServer } from "@effect/platform-node"
import { type Context, Duration, Effect, Exit, Layer, Option, Schema, Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientRequest } from "effect/http"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Engine from "../../src/actors/Engine.ts"
import { DocumentView } from "../../src/http/api/views/DocumentView.ts"
import { PageEvent } from "../../src/http/api/Events.ts"
import { QueueStatusView } from "../../src/http/api/Queue.ts"
import * as Server from "../../src/http/Server.ts"
import * as FileBlobStore from "../../src/layers/blobs/FileBlobStore.ts"
import * as SqliteStore from "../../src/layers/sqlite/SqliteStore.ts"
import * as ApiKeysMemory from "../../src/services/apiKeys/ApiKeysMemory.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import { makeScriptedEngine, type ScriptedDocument } from "../../src/services/PdfEngineScripted.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { Sources } from "../../src/services/Sources.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"

const noSources = Layer.succeed(Sources, {
  resolve: () => Effect.die("there are no sources"),
  readFile: () => Stream.empty,
  fetch: () => Stream.empty
})

/** The actors on this folder. */
export const engineAt = (folder: string, script: () => ScriptedDocument) => {
  mkdirSync(join(folder, "blobs"), { recursive: true })
  return Engine.layer.pipe(
    Layer.provideMerge(makeScriptedEngine(script).layer),
    Layer.provide([
      SqliteStore.layer({ filename: join(folder, "documents.db") }),
      FileBlobStore.layer({ directory: folder }),
      SecretsMemory.layerMemory,
      SecureRandom.layerWebCrypto,
      Events.layer(),
      noSources
    ]),
    Layer.provide(TenantRegistry.layer()),
    Layer.provide(EngineConfig.layer({ shutdownGrace: Duration.zero }))
  )
}

/** The whole service on this folder. */
export const serviceAt = (folder: string, script: () => ScriptedDocument) =>
  Server.layer.pipe(
    Layer.provide(ApiKeysMemory.layerMemory),
    Layer.provideMerge(engineAt(folder, script)),
    Layer.provideMerge(NodeHttpServer.layerTest)
  )

/** Runs the service until `stop`, at the latest until the test ends. */
export const start = <A, E>(layer: Layer.Layer<A, E>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const stop = Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() => stop)
    const context: Context.Context<A> = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
    return { context, stop }
  })

export interface Told {
  readonly id: number
  readonly type: string
  readonly data: string
}

const toldOf = (block: string): Told => {
  const fields = new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(": ")
      return [line.slice(0, colon), line.slice(colon + 2)] as const
    })
  )
  return {
    id: Number(fields.get("id") ?? "-1"),
    type: fields.get("event") ?? (fields.has("") ? "ping" : "none"),
    data: fields.get("data") ?? ""
  }
}

/** Every block of the stream that has an id: events, and those that only move it on. */
export const eventsOf = (path: string, headers: Record<string, string> = {}) =>
  Stream.unwrap(
    Effect.map(HttpClient.execute(HttpClientRequest.get(path, { headers })), (response) => response.stream)
  ).pipe(
    Stream.decodeText,
    Stream.mapAccum(
      () => "",
      (rest, text) => {
        const blocks = (rest + text).split("\n\n")
        return [blocks.pop() ?? "", blocks] as const
      }
    ),
    Stream.map(toldOf),
    Stream.filter(({ id }) => id >= 0)
  )

const decodeDocument = Schema.decodeUnknownOption(Schema.fromJsonString(DocumentView))
const decodePage = Schema.decodeUnknownOption(Schema.fromJsonString(PageEvent))
const decodeQueue = Schema.decodeUnknownOption(Schema.fromJsonString(QueueStatusView))

export const documentOf = ({ data, type }: Told) =>
  type === "document" ? Option.getOrUndefined(decodeDocument(data)) : undefined
export const pageOf = ({ data, type }: Told) => (type === "page" ? Option.getOrUndefined(decodePage(data)) : undefined)
export const queueOf = ({ data, type }: Told) =>
  type === "queue" ? Option.getOrUndefined(decodeQueue(data)) : undefined

/** `running`, `page 3`, `queue`. */
export const brief = (told: ReadonlyArray<Told>): ReadonlyArray<string> =>
  told.map((one) => documentOf(one)?.status ?? (one.type === "page" ? `page ${pageOf(one)?.page}` : one.type))
