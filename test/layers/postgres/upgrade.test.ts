// A database that was filled before there were artifacts, by the program of that time. It goes on under this one.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import { PipelineName, StageName, StageVersion } from "../../../src/domain/pipeline/Pipeline.ts"
import * as Connection from "../../../src/layers/postgres/database/Connection.ts"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import { Artifacts } from "../../../src/services/store/Artifacts.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import { QueueStats } from "../../../src/services/store/QueueStats.ts"
import {
  acme,
  blobHash,
  documentId,
  globex,
  hashesOf,
  newDocument,
  openedPdf,
  page,
  plenty,
  runner
} from "../../conformance/storeFixtures.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { execute, newDatabase, urlOf } from "../../support/postgres/server.ts"

/** The fifth step of the schema, with seven documents of two tenants. */
const filled = readFileSync(join(import.meta.dirname, "../../fixtures/postgres-step-5.sql"), "utf8")
  .trim()
  .replace(/;$/, "")
  .split(";\n\n")

const storeOver = (database: string) =>
  Layer.unwrap(
    Effect.map(urlOf(database), (url) => Layer.provide(PostgresStore.layerNoDeps, Connection.layer({ url })))
  )

const upgraded = Effect.gen(function* () {
  const database = yield* newDatabase
  // Functions come before the tables that they name.
  yield* execute(database, "SET check_function_bodies = off", ...filled)
  return database
})

/** All that the database is made of, as Postgres tells it. */
const shapeOf = (database: string) =>
  execute(
    database,
    `SELECT p.proname AS name, pg_get_functiondef(p.oid) AS definition FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1, 2`,
    `SELECT table_name, column_name, data_type, collation_name, column_default, is_nullable, is_identity
      FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position`,
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    `SELECT pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal ORDER BY 1`,
    "SELECT migration_id, name FROM sluice_migrations ORDER BY 1"
  )

const noPassword = { sealedPassword: undefined, passwordKey: undefined }
const ocr = { stage: StageName.make("ocr"), version: StageVersion.make("1") }

const made = {
  ...ocr,
  status: "done",
  mediaType: "application/json",
  content: { _tag: "Inline", bytes: new Uint8Array(5) },
  size: 5,
  elapsedMillis: 1
} as const

const claim = (tenant = acme) =>
  Effect.map(
    DocumentQueue.use((queue) => queue.claim(tenant, { runner, lease: Duration.minutes(1) })),
    Option.getOrThrow
  )

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "A database of before there were artifacts",
  () => {
    it.live("becomes what a new one is", () =>
      Effect.gen(function* () {
        const [old, fresh] = [yield* upgraded, yield* newDatabase]
        for (const database of [old, fresh]) yield* Effect.scoped(Layer.build(storeOver(database)))
        assert.deepStrictEqual(yield* shapeOf(old), yield* shapeOf(fresh))
      })
    )

    it.live("has lost nothing, and its documents go on", () =>
      Effect.gen(function* () {
        const database = yield* upgraded
        yield* Effect.gen(function* () {
          const documents = yield* Documents
          const queue = yield* DocumentQueue
          const stats = yield* QueueStats
          const storedBytes = Effect.map(stats.stats(acme), ({ storedBytes }) => storedBytes)

          const first = yield* documents.find(acme, documentId(1), "outline")
          assert.deepInclude(first, { status: "completed", progress: { pages: 3, done: 3, failed: 0, warned: 1 } })
          assert.deepStrictEqual(first.outline, openedPdf.outline)
          assert.notProperty(first, "pipeline")
          const pages = yield* documents.pages(acme, documentId(1), { from: 1, limit: 9, detail: true, layout: true })
          assert.deepStrictEqual(pages, [
            page(1),
            page(2, { warnings: [{ code: "TEXT_UNSURE", message: "unsure" }] }),
            page(3, { status: "scanned", text: "", layout: new Uint8Array([1, 2, 3]) })
          ])

          // The one that ran when the old program ended goes on where it was.
          assert.deepStrictEqual(yield* queue.reclaimExpired, [acme])
          const resumed = yield* claim()
          assert.strictEqual(resumed.document.id, documentId(3))
          assert.deepStrictEqual([...resumed.donePages], [1])
          assert.deepStrictEqual(resumed.faults, new Map([[2, { deaths: 1, failures: 0 }]]))
          assert.deepStrictEqual(resumed.artifacts, [])
          const before = yield* storedBytes
          yield* queue.saveArtifacts(resumed.fence, [{ ...made, page: 2 }], [page(2, { source: ocr.stage })])
          yield* queue.finish(resumed.fence, { status: "partial" })
          const { lines, text } = page(2)
          assert.strictEqual(yield* storedBytes, before + 5 + Buffer.byteLength(text) + Buffer.byteLength(lines))

          // A process of the old program, which is still there, may go on in the meantime.
          const oldCall = "SELECT outcome FROM retry_document('acme', 'none', NULL, NULL, 1000, 1000)"
          assert.deepStrictEqual(yield* execute(database, oldCall), [[{ outcome: "missing" }]])
          const retried = yield* documents.retry(acme, documentId(2), noPassword, plenty)
          assert.deepStrictEqual(retried.progress, { pages: 3, done: 2, failed: 0 })
          const again = yield* documents.rerun(acme, documentId(3), { ...ocr, pages: true }, noPassword, plenty)
          assert.deepStrictEqual(again.document.progress, { pages: 3, done: 1, failed: 0 })

          // A new submission of the same bytes finds the old document, and one of a pipeline does not.
          const same = { name: "1.pdf", source: newDocument(1).source, reuse: true }
          const pipeline = PipelineName.make("ocr")
          assert.strictEqual((yield* queue.accept(newDocument(8, same), plenty)).id, documentId(1))
          assert.strictEqual((yield* queue.accept(newDocument(9, { ...same, pipeline }), plenty)).id, documentId(9))

          const whole = yield* claim(globex)
          assert.strictEqual(whole.document.id, documentId(6))
          const ended = yield* queue.finishWhole(
            whole.fence,
            { pages: [page(1)], pdf: { ...openedPdf, pageCount: 1 } },
            { status: "completed" }
          )
          assert.strictEqual(ended.status, "completed")

          assert.deepStrictEqual(hashesOf(yield* documents.remove(globex, documentId(7))), [blobHash(7)])
          assert.deepStrictEqual(hashesOf(yield* documents.remove(acme, documentId(2))), [blobHash(2)])
          assert.deepStrictEqual(yield* documents.remove(acme, documentId(1)), [])
          const left = yield* Artifacts.use((artifacts) => artifacts.list(acme, documentId(3), { limit: 9 }))
          assert.deepStrictEqual(left, [])
        }).pipe(Effect.provide(storeOver(database)))
      })
    )
  }
)
