import { createHash } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
// The service as it runs for real: HTTP on a free loopback port, SQLite and blobs in a folder, page workers as processes.
import { assert } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Logger, References, Schema, Stream } from "effect"
import { FetchHttpClient, HttpServer } from "effect/http"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import { DocumentView, PageList } from "../../src/http/api/views/DocumentView.ts"
import * as NodeServer from "../../src/http/edge/NodeServer.ts"
import { QueueStatusView } from "../../src/http/api/Queue.ts"
import * as Server from "../../src/http/Server.ts"
import * as Engine from "../../src/layers/Engine.ts"
import { type Answered, get } from "../http/client.ts"
import { allowLoopback } from "../layers/net/loopback.ts"

/** What a test may look at beside the interface. */
export class Premises extends Context.Service<
  Premises,
  {
    /** DATA_DIR. */
    readonly directory: string
    /** Every line logged, of any level, with its annotations, spans and causes. */
    readonly logs: ReadonlyArray<string>
  }
>()("test/support/Premises") {}

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Ports of the loopback that sources may be fetched from. */
  readonly ports?: ReadonlyArray<number>
}

/** A folder that is gone with its scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-e2e-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** The service on this data folder, configured by these environment variables alone. */
export const serviceAt = (directory: string, { env = {}, ports = [] }: ServiceOptions = {}) => {
  const logs: Array<string> = []
  const capture = Logger.map(Logger.formatJson, (line) => {
    logs.push(line)
  })
  const config = ConfigProvider.layer(
    ConfigProvider.fromEnv({ env: { DATA_DIR: directory, PORT: "0", PAGE_WORKERS: "2", ...env } })
  )
  return HttpServer.layerTestClient.pipe(
    Layer.provide(Layer.fresh(FetchHttpClient.layer)),
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit)({ keepalive: false })),
    Layer.provideMerge(Server.layer),
    Layer.provideMerge(Engine.layer),
    Layer.provideMerge(NodeServer.layer),
    Layer.provideMerge(Layer.succeed(Premises, { directory, logs })),
    Layer.provide(allowLoopback(...ports)),
    Layer.provide([config, Logger.layer([capture]), Layer.succeed(References.MinimumLogLevel, "Trace")])
  )
}

/** The service on a folder of its own. */
export const service = (options: ServiceOptions = {}) =>
  Layer.unwrap(Effect.map(temporaryFolder, (directory) => serviceAt(directory, options)))

const decodeDocument = Schema.decodeUnknownEffect(DocumentView)
const decodePages = Schema.decodeUnknownEffect(PageList)
const decodeQueue = Schema.decodeUnknownEffect(QueueStatusView)
const decodeAccepted = Schema.decodeUnknownEffect(
  Schema.Struct({ documents: Schema.NonEmptyArray(Schema.Struct({ id: DocumentId, name: Schema.String })) })
)

const of = (tenant: string) => ({ "x-tenant-id": tenant })

/** The id of the one document that a submission created. */
export const acceptedId = Effect.fnUntraced(function* (answer: Answered) {
  assert.strictEqual(answer.status, 202, answer.text)
  const { documents } = yield* decodeAccepted(answer.json)
  return documents[0].id
})

export const statusOf = Effect.fnUntraced(function* (id: DocumentId, tenant = "default") {
  const answer = yield* get(`/v1/documents/${id}`, of(tenant))
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* decodeDocument(answer.json)
})

/** Waits for the document's end, and answers with what the interface then says of it. */
export const finished = Effect.fnUntraced(function* (id: DocumentId, tenant = "default") {
  const ingestion = yield* Ingestion
  yield* Stream.runDrain(ingestion.follow(TenantId.make(tenant), id))
  return yield* statusOf(id, tenant)
})

/** Waits until so many pages of the document have a result. */
export const pagesDone = Effect.fnUntraced(function* (id: DocumentId, count: number, tenant = "default") {
  const ingestion = yield* Ingestion
  yield* ingestion.follow(TenantId.make(tenant), id).pipe(
    Stream.filter((event) => event._tag === "PageDone"),
    Stream.take(count),
    Stream.runDrain
  )
})

export const pagesOf = Effect.fnUntraced(function* (id: DocumentId, query = "", tenant = "default") {
  const answer = yield* get(`/v1/documents/${id}/pages${query}`, of(tenant))
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* decodePages(answer.json)
})

/** Every page of the document, through as many requests as that takes. */
export const allPagesOf = Effect.fnUntraced(function* (id: DocumentId, tenant = "default") {
  const pages: Array<(typeof PageList.Type)["pages"][number]> = []
  for (let from: number | undefined = 1; from !== undefined;) {
    const part: typeof PageList.Type = yield* pagesOf(id, `?limit=500&from=${from}`, tenant)
    pages.push(...part.pages)
    from = part.next
  }
  return pages
})

export const queueStatus = Effect.fnUntraced(function* (query = "", tenant = "default") {
  const answer = yield* get(`/queue/status${query}`, of(tenant))
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* decodeQueue(answer.json)
})

/** The files below a folder, with their sizes. */
export const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())

/** Blobs in files and in the database, and files that are being written or were left behind. */
export const blobsBelow = (directory: string): ReadonlyArray<string> => [
  ...filesBelow(join(directory, "blobs")),
  ...filesBelow(join(directory, "tmp")),
  ...smallBlobs(directory).map(({ hash }) => hash)
]

/** Blobs in the database, with what their bytes hash to. */
export const smallBlobs = (directory: string) => {
  const database = new DatabaseSync(join(directory, "sluice.db"), { readOnly: true })
  const found = database.prepare("SELECT hash, bytes FROM blobs ORDER BY hash").all()
  database.close()
  return found.map(({ bytes, hash }) => ({
    hash: String(hash),
    digest: createHash("sha256")
      .update(bytes instanceof Uint8Array ? bytes : "")
      .digest("hex")
  }))
}

/** The files that contain the text, in whatever place. */
export const filesWith = (folder: string, text: string): ReadonlyArray<string> =>
  filesBelow(folder).filter((path) => readFileSync(path).includes(text))

/** Looks again until it holds, for what no event tells of. The test's time limit bounds it. */
export const until = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (found: A) => boolean): Effect.Effect<A, E, R> =>
  look.pipe(Effect.delay("10 millis"), Effect.repeat({ until: holds }))
