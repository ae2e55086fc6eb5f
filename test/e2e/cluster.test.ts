import { connect, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema, Stream } from "effect"
import { HttpClient } from "effect/http"
import { DocumentId } from "../../src/domain/Ids.ts"
import { RunnersView } from "../../src/http/api/Workers.ts"
import { get, postPdf, remove } from "../http/client.ts"
import { isRunning } from "../layers/pdf/engine.ts"
import { assertLetGo, heldDocument, holding, lettingGo } from "../support/heldDocument.ts"
import { manyPages } from "../support/pdf.ts"
import { postgresBinaries, withoutPostgres } from "../support/postgres/binaries.ts"
import { newDatabase, urlOf } from "../support/postgres/server.ts"
import { clientOf, freePort, type ServerProcess, startServer } from "../support/serverProcess.ts"
import { acceptedId, statusOf, temporaryFolder, until } from "../support/service.ts"

const headers = (tenant: string) => ({ "x-tenant-id": tenant })
const upload = (tenant: string, name: string, bytes: Uint8Array) =>
  Effect.flatMap(postPdf(`/v1/documents?force=true&name=${name}`, headers(tenant), bytes), acceptedId)
const ended = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

const decodeRunners = Schema.decodeUnknownEffect(RunnersView)
const runners = Effect.flatMap(get("/v1/runners"), ({ json }) =>
  Effect.map(decodeRunners(json), (view) => view.runners)
)

/** Whether this server has begun the document, as its log says. */
const hasBegun = ({ output }: ServerProcess, id: DocumentId) =>
  output()
    .split("\n")
    .some((line) => line.includes('"document started"') && line.includes(id))

const startRunner = Effect.fnUntraced(function* (
  folder: string,
  url: Redacted.Redacted,
  env: Readonly<Record<string, string>>
) {
  const port = yield* freePort
  return yield* startServer(folder, {
    DATABASE_URL: Redacted.value(url),
    CLUSTER: "on",
    CLUSTER_PORT: String(port),
    CLUSTER_TOKEN: "0123456789abcdef0123456789abcdef",
    PAGE_WORKERS: "1",
    ...env
  })
})

const pageCount = 30

/**
 * A held document that this server has begun and goes on with. Tenants whose documents another server begins are passed over: which
 * server has which is for them to decide, and a slow machine may make them think again.
 */
const holdOn = Effect.fnUntraced(function* (server: ServerProcess) {
  for (let number = 1; number <= 60; number++) {
    const tenant = `tenant-${number}`
    const id = yield* upload(tenant, `held-${number}.pdf`, heldDocument(pageCount))
    const { status } = yield* until(statusOf(id, tenant), ({ progress }) => progress.done >= pageCount)
    if (status === "running" && hasBegun(server, id)) return { id, tenant }
    yield* remove(`/v1/documents/${id}`, headers(tenant))
  }
  return yield* Effect.die(new Error("the server has no tenants"))
})

/** Uploads the first half of a document to the server, which has begun to take it; `finish` sends the rest, and tells its id. */
const openUpload = Effect.fnUntraced(function* ({ url }: ServerProcess, tenant: string) {
  const pdf = manyPages(3)
  const half = pdf.length / 2
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  // The server says that it goes on with the body when it has begun with the request.
  const head = `POST /v1/documents?name=late.pdf HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: ${tenant}\r\nExpect: 100-continue\r\n`
  socket.write(`${head}Content-Type: application/pdf\r\nContent-Length: ${pdf.length}\r\n\r\n`)
  let heard = ""
  const hears = (part: RegExp) =>
    Effect.callback<RegExpExecArray>((resume) => {
      const look = (text = "") => {
        heard += text
        const found = part.exec(heard)
        if (found !== null) resume(Effect.succeed(found))
      }
      socket.setEncoding("utf8").on("data", look)
      look()
    })
  yield* hears(/ 100 Continue/)
  socket.write(pdf.subarray(0, half))
  const finish = Effect.gen(function* () {
    socket.write(pdf.subarray(half))
    const [, id = ""] = yield* hears(/"id":"([^"]+)"/)
    return DocumentId.make(id)
  })
  return { finish }
})

/** Reads the document's live stream until an event of a page has come. */
const pageEvent = (id: string, tenant: string) =>
  Effect.gen(function* () {
    const response = yield* HttpClient.get(`/v1/documents/${id}/events`, { headers: headers(tenant) })
    let heard = ""
    yield* response.stream.pipe(
      Stream.decodeText(),
      Stream.takeUntil((text) => {
        heard += text
        return heard.includes("event: page")
      }),
      Stream.runDrain
    )
    return heard
  })

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "Two runners over one database",
  () => {
    it.live("serve each other's tenants, and one goes on with what the other had when it was killed", () =>
      Effect.gen(function* () {
        const url = yield* urlOf(yield* newDatabase)
        const folder = yield* temporaryFolder
        const one = yield* startRunner(folder, url, lettingGo)
        const other = yield* startRunner(folder, url, holding)
        yield* Effect.gen(function* () {
          // A new runner gets its part of the tenants a few seconds after it has come.
          yield* until(runners, (found) => found.length === 2 && found.every(({ shards = 0 }) => shards > 0))

          // Everything is asked of the runner that does not have the tenant.
          const first = yield* holdOn(other)
          assert.include(yield* pageEvent(first.id, first.tenant), "event: page")
          const page = yield* get(`/v1/documents/${first.id}/pages?wait=60s&from=1`, headers(first.tenant))
          assert.strictEqual(page.status, 200)
          yield* remove(`/v1/documents/${first.id}`, headers(first.tenant))
          yield* until(runners, (found) => found.every(({ documents }) => documents === 0))

          const { id, tenant } = yield* holdOn(other)
          yield* other.signal("SIGKILL")
          const { document } = yield* assertLetGo(id, pageCount, tenant)
          assert.strictEqual(document.attempt, 2)
          // Not when its lease had run out.
          assert.include(one.output(), "documents of another runner are taken over")
          yield* until(runners, (found) => found.length === 1)
        }).pipe(Effect.provide(clientOf(one)))
        yield* one.signal("SIGTERM")
        assert.deepStrictEqual(yield* one.ended, { code: 0, signal: null })
      })
    )

    it.live("go on with the tenants of one that is told to stop, while it still waits for an upload", () =>
      Effect.gen(function* () {
        const url = yield* urlOf(yield* newDatabase)
        const folder = yield* temporaryFolder
        const one = yield* startRunner(folder, url, lettingGo)
        const other = yield* startRunner(folder, url, { ...holding, SHUTDOWN_GRACE: "10h" })
        yield* Effect.gen(function* () {
          yield* until(runners, (found) => found.length === 2 && found.every(({ shards = 0 }) => shards > 0))
          const { id, tenant } = yield* holdOn(other)
          const uploading = yield* openUpload(other, tenant)
          yield* other.signal("SIGTERM")
          const { document } = yield* assertLetGo(id, pageCount, tenant)
          assert.strictEqual(document.attempt, 2)
          assert.isTrue(isRunning(other.pid))
          // What is accepted after that is begun by the runner that has the tenant now.
          const late = yield* uploading.finish
          assert.strictEqual((yield* until(statusOf(late, tenant), ended)).status, "completed")
          assert.deepStrictEqual(yield* other.ended, { code: 0, signal: null })
        }).pipe(Effect.provide(clientOf(one)))
      })
    )
  }
)
