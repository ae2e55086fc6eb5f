import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { get, postPdf } from "../http/client.ts"
import { assertKept, assertLetGo, held, heldDocument, holding, lettingGo } from "../support/heldDocument.ts"
import { manyPages } from "../support/pdf.ts"
import { postgresBinaries, withoutPostgres } from "../support/postgres/binaries.ts"
import { execute, newDatabase, urlOf } from "../support/postgres/server.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, statusOf, temporaryFolder, until } from "../support/service.ts"

const pageCount = 100
const ended = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

const upload = Effect.flatMap(postPdf("/v1/documents?name=held.pdf", {}, heldDocument(pageCount)), acceptedId)

/** What must hold of the tables, whatever happened: pages once, counters as a recount gives them, no lease of what ended. */
const audit = `
  SELECT
    (SELECT count(*)::int FROM documents WHERE status NOT IN ('completed', 'partial') OR runner IS NOT NULL) AS unfinished,
    (SELECT count(*)::int FROM documents d WHERE pages_done <> (SELECT count(*) FROM pages p WHERE p.document = d.seq)) AS uneven,
    (SELECT count(*)::int FROM tenant_stats t WHERE waiting <> 0 OR queued <> 0 OR running <> 0 OR
      stored <> (SELECT sum(size + result_bytes + detail_bytes) FROM documents d WHERE d.tenant_id = t.tenant_id)) AS miscounted,
    (SELECT count(*)::int FROM (
      SELECT sum(waiting) AS waiting, sum(running) AS running, sum(processed) AS processed, sum(stored) AS stored FROM counter_shards
    ) s WHERE waiting <> 0 OR running <> 0 OR processed <> (SELECT count(*) FROM documents)
      OR stored <> (SELECT sum(stored) FROM tenant_stats)) AS misadded,
    (SELECT count(*)::int FROM blob_references) AS referred`

const sound = { unfinished: 0, uneven: 0, miscounted: 0, misadded: 0, referred: 0 }

const prepared = Effect.gen(function* () {
  const database = yield* newDatabase
  const env = { DATABASE_URL: Redacted.value(yield* urlOf(database)) }
  return { database, env, folder: yield* temporaryFolder }
})

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "A server on Postgres",
  () => {
    it.live("goes on after it was killed with the pages that it had not read, and its tables are sound", () =>
      Effect.gen(function* () {
        const { database, env, folder } = yield* prepared
        const first = yield* startServer(folder, { ...env, ...holding })
        const { id, known } = yield* Effect.gen(function* () {
          const id = yield* upload
          yield* held(id, pageCount)
          return { id, known: yield* allPagesOf(id) }
        }).pipe(Effect.provide(clientOf(first)))
        yield* first.signal("SIGKILL")
        yield* first.ended
        const second = yield* startServer(folder, { ...env, ...lettingGo })
        const { document, pages } = yield* Effect.provide(assertLetGo(id, pageCount), clientOf(second))
        assert.strictEqual(document.attempt, 2)
        assert.isAtLeast(known.length, pageCount)
        assertKept(known, pages)
        assert.deepStrictEqual(yield* execute(database, audit), [[sound]])
      })
    )

    it.live("is one of several over one database and one folder: another finishes what it had begun", () =>
      Effect.gen(function* () {
        const { database, env, folder } = yield* prepared
        const first = yield* startServer(folder, { ...env, ...holding })
        const id = yield* Effect.provide(upload, clientOf(first))
        yield* Effect.provide(held(id, pageCount), clientOf(first))
        const other = yield* startServer(folder, { ...env, ...lettingGo })
        yield* first.signal("SIGKILL")
        yield* Effect.provide(assertLetGo(id, pageCount), clientOf(other))
        assert.deepStrictEqual(yield* execute(database, audit), [[sound]])
      })
    )

    it.live("refuses with 503 while the database is away, loses nothing that it accepted, and goes on by itself", () =>
      Effect.gen(function* () {
        const { database, env, folder } = yield* prepared
        // Most of that time the database is away, unless the machine is slow: the document may end at any moment.
        const server = yield* startServer(folder, { ...env, PAGE_TIMEOUT: "2s" })
        yield* Effect.gen(function* () {
          const id = yield* upload
          yield* held(id, pageCount)
          yield* execute(
            "postgres",
            `ALTER DATABASE ${database} ALLOW_CONNECTIONS false`,
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`
          )
          const refused = yield* postPdf("/v1/documents?name=other.pdf", {}, manyPages(3))
          assert.strictEqual(refused.status, 503, refused.text)
          assert.include(refused.text, "STORE_UNAVAILABLE")
          assert.match(refused.headers["retry-after"] ?? "", /^[1-9]\d*$/)
          const notReady = yield* until(get("/health/ready"), ({ status }) => status === 503)
          assert.include(notReady.text, "the database cannot be written")
          yield* execute("postgres", `ALTER DATABASE ${database} ALLOW_CONNECTIONS true`)
          yield* until(get("/health/ready"), ({ status }) => status === 200)
          yield* Effect.retry(assertLetGo(id, pageCount), { times: 3 })
          yield* until(statusOf(yield* acceptedId(yield* postPdf("/v1/documents?name=o.pdf", {}, manyPages(3)))), ended)
        }).pipe(Effect.provide(clientOf(server)))
        assert.deepStrictEqual(yield* execute(database, audit), [[sound]])
      })
    )
  }
)
