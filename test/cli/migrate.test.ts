import { spawn } from "node:child_process"
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Exit, Layer, Option, Redacted, Stream } from "effect"
import * as Engine from "../../src/layers/Engine.ts"
import { holdDataDirectory } from "../../src/layers/folder/DataDirectory.ts"
import { ApiKeys } from "../../src/services/apiKeys/ApiKeys.ts"
import { failure } from "../../src/domain/Failure.ts"
import { PipelineName, StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import { Artifacts, type NewArtifact } from "../../src/services/store/Artifacts.ts"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import type { Fence } from "../../src/services/store/Fence.ts"
import { BlobHash } from "../../src/domain/Ids.ts"
import { BlobStore } from "../../src/services/BlobStore.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { ChangeLog, cursorAt } from "../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"
import { IdempotencyStore } from "../../src/services/store/IdempotencyStore.ts"
import { Secrets } from "../../src/services/secrets/Secrets.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { acme, documentId, newDocument, openedPdf, page, plenty, runner } from "../conformance/storeFixtures.ts"
import { postgresBinaries, withoutPostgres } from "../support/postgres/binaries.ts"
import { execute, newDatabase, urlOf } from "../support/postgres/server.ts"
import { temporaryFolder, until } from "../support/service.ts"
import { sluice } from "./harness.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

type Env = Readonly<Record<string, string>>

const storageOf = (env: Env) =>
  Layer.fresh(
    Engine.layerStorage.pipe(
      Layer.provide(EngineConfig.layer()),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
    )
  )

const on = <A, E, R>(env: Env, body: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.provide(body, storageOf(env), { local: true }))

const refusal = (env: Env) => Effect.map(Effect.flip(on(env, Effect.void)), ({ message }) => message)

/** A content in the row, one among the small blobs, one in a file, and a failure; and a page that got its text of a stage. */
const keepArtifacts = Effect.fnUntraced(function* (fence: Fence) {
  const blobs = yield* BlobStore
  const references = yield* BlobReferences
  const stage = StageName.make("ocr")
  const made = { stage, mediaType: "text/plain", elapsedMillis: 3 }
  const contents: Array<NewArtifact> = []
  for (const size of [10, 5_000, 90_000]) {
    const bytes = new Uint8Array(size).fill(size)
    const blob = size === 10 ? undefined : yield* blobs.put(Stream.make(bytes), 100_000)
    contents.push({
      ...made,
      version: StageVersion.make(String(size)),
      status: "done",
      size,
      ...(blob === undefined
        ? { content: { _tag: "Inline", bytes } }
        : { content: { _tag: "Blob", hash: blob.hash }, reference: yield* references.reserve(blob.hash, "1 minute") })
    })
  }
  const failed = { status: "failed", content: undefined, size: 0, error: failure("STAGE_FAILED", "broken") } as const
  const whole = { ...made, version: StageVersion.make("1"), ...failed }
  yield* (yield* DocumentQueue).saveArtifacts(
    fence,
    [...contents.map((content) => ({ ...content, page: 3 })), whole],
    [page(3, { source: stage })]
  )
})

/** Document 1 ended, 2 was running when its server was killed, and 3 waits; the tenant has limits, a key and an answer. */
const fill = Effect.gen(function* () {
  const queue = yield* DocumentQueue
  const blobs = yield* BlobStore
  for (const [number, size] of [
    [1, 1_000],
    [2, 70_000],
    [3, 80_000]
  ] as const) {
    const blob = yield* blobs.receive(Stream.make(new Uint8Array(size).fill(number)), 100_000)
    const pipeline = number === 2 ? PipelineName.make("ocr") : undefined
    const source = { _tag: "Blob", ...blob } as const
    yield* queue.accept(newDocument(number, { source, pipeline, name: `${number}\0.pdf` }), plenty)
  }
  const request = { runner, lease: Duration.minutes(1) }
  const { fence } = yield* Effect.fromOption(yield* queue.claim(acme, request))
  yield* queue.opened(fence, openedPdf)
  yield* queue.savePages(fence, [
    page(1, { text: "one \0" }),
    page(2, { warnings: [{ code: "LAYOUT_CUT", message: "." }] })
  ])
  yield* queue.finish(fence, { status: "completed" })
  const second = yield* Effect.fromOption(yield* queue.claim(acme, request))
  yield* queue.opened(second.fence, openedPdf)
  yield* queue.savePages(second.fence, [page(2)])
  yield* keepArtifacts(second.fence)
  yield* TenantRegistry.use((registry) =>
    registry.update(acme, { weight: 3, rate: 2.5, pipeline: PipelineName.make("ocr") })
  )
  yield* queue.setPaused(acme, true)
  const keys = yield* ApiKeys
  const { text } = yield* keys.create(acme, "one")
  const idempotency = yield* IdempotencyStore
  const reserved = yield* idempotency.reserve(acme, "k", "1 minute")
  if (reserved._tag === "InUse") return yield* Effect.die("the key is free")
  yield* idempotency.keep(reserved.lease, { fingerprint: "f", bytes: 1, body: "kept", keptAt: 5 })
  const sealed = yield* Secrets.use((secrets) => secrets.seal(Redacted.make("hunter2")))
  return { text, sealed }
})

/** What a server sees of all that. */
const seen = Effect.gen(function* () {
  const documents = yield* Documents
  const artifacts = yield* Artifacts
  const blobs = yield* BlobStore
  const { changes } = yield* (yield* ChangeLog).changes({ after: cursorAt(0), limit: 100 })
  const found = yield* Effect.forEach([1, 2, 3], (number) =>
    Effect.all([
      documents.find(acme, documentId(number)),
      documents.pages(acme, documentId(number), { from: 1, limit: 9, detail: true })
    ])
  )
  const { documents: _, ...limits } = yield* TenantRegistry.use((registry) => registry.limits(acme))
  return {
    found: JSON.stringify(found),
    artifacts: JSON.stringify(yield* artifacts.list(acme, documentId(2), { limit: 9 })),
    contents: yield* Effect.forEach(["10", "5000", "90000"], (version) =>
      Effect.gen(function* () {
        const key = { page: 3, stage: StageName.make("ocr"), version: StageVersion.make(version) }
        const { content } = Option.getOrThrow(yield* artifacts.find(acme, documentId(2), key))
        if (content?._tag !== "Blob") return content
        yield* Effect.scoped(blobs.locate(content.hash))
        return content
      })
    ),
    // A start on the folder changes document 2, which was running, and a move does not.
    changes: changes.flatMap((change) =>
      change._tag === "Document" && change.document.id === documentId(2) ? [] : [[change._tag, change.cursor]]
    ),
    stats: yield* QueueStats.use((stats) => stats.stats(acme)),
    all: yield* QueueStats.use((stats) => stats.stats()),
    limits,
    isPaused: yield* DocumentQueue.use((queue) => queue.isPaused(acme)),
    keys: yield* ApiKeys.use((keys) => keys.list(acme)),
    answer: yield* IdempotencyStore.use((store) => store.find(acme, "k"))
  }
})

const prepared = Effect.gen(function* () {
  const directory = join(yield* temporaryFolder, "data")
  const database = yield* newDatabase
  const folder = { DATA_DIR: directory }
  return { directory, database, folder, server: { ...folder, DATABASE_URL: Redacted.value(yield* urlOf(database)) } }
})

const documentsIn = (directory: string) => {
  const database = new DatabaseSync(join(directory, "sluice.db"), { readOnly: true })
  const count = database.prepare("SELECT count(*) AS n FROM documents").get()?.["n"]
  database.close()
  return count
}

/** Rows of another tenant, so that a move takes some time. */
const fillMore = (directory: string, documents: number) => {
  const database = new DatabaseSync(join(directory, "sluice.db"))
  database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${documents})
    INSERT INTO documents (id, tenant_id, name, priority, status, accepted_at, queued_at)
    SELECT format('01900000-0000-7000-9000-%012x', i), 'globex', i || '.pdf', 5, 'queued', i, i FROM n;
    INSERT INTO pages (document, number, status, width, height, rotation, elapsed_millis, text, lines)
    SELECT seq, 1, 'ok', 1.5, 2.5, 0, 1, 'text of ' || id, '[]' FROM documents WHERE tenant_id = 'globex';
    UPDATE documents SET pages_done = 1, page_count = 2 WHERE tenant_id = 'globex'`)
  database.close()
}

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "sluice migrate",
  () => {
    it.live("moves everything, says so, and keeps the folder from being served or moved again", () =>
      Effect.gen(function* () {
        const { directory, folder, server } = yield* prepared
        const { sealed, text } = yield* on(folder, fill)
        const copy = join(directory, "..", "copy")
        cpSync(directory, copy, { recursive: true })
        const before = yield* on({ DATA_DIR: copy }, seen)
        const files = readdirSync(directory)

        const planned = yield* sluice(["migrate", "--dry-run", "--json"], server)
        assert.strictEqual(planned.code, 0, planned.err)
        const plan = JSON.parse(planned.out)
        assert.deepInclude(plan.tables, { name: "documents", rows: 3 })
        assert.deepStrictEqual(plan.originals, { place: directory, store: 2, keep: 3 })
        // Reading makes SQLite keep its log and its index open for others.
        const own = readdirSync(directory).filter((name) => !/-(wal|shm)$/.test(name))
        assert.deepStrictEqual(own, files)

        const moved = yield* sluice(["migrate", "--to", server.DATABASE_URL, "--json"], folder)
        assert.strictEqual(moved.code, 0, moved.err)
        const report = JSON.parse(moved.out)
        assert.deepInclude(report.originals, { stored: 2, kept: 3, missing: 0, damaged: 0 })
        assert.deepInclude(report, { state: "moved", key: join(directory, "secret.key") })
        assert.match(JSON.stringify(report.tables), /"pages","rows":4,"digest":"[0-9a-f]{64}"/)
        assert.notInclude(moved.out + moved.err, server.DATABASE_URL)

        const after = yield* on(server, seen)
        const storable = before.found.replaceAll("\\u0000", "\uFFFD")
        assert.deepStrictEqual(after, { ...before, found: storable })
        yield* on(
          server,
          Effect.gen(function* () {
            assert.isTrue(Option.isSome(yield* ApiKeys.use((keys) => keys.verify(text))))
            const opened = yield* Secrets.use((secrets) => secrets.open(sealed))
            assert.strictEqual(Redacted.value(opened), "hunter2")
            const queue = yield* DocumentQueue
            yield* queue.accept(newDocument(4), plenty)
            yield* queue.setPaused(acme, false)
            // It goes on where it stood, under the next attempt, and its change comes after all others.
            const { document } = yield* Effect.fromOption(
              yield* queue.claim(acme, { runner, lease: Duration.minutes(1) })
            )
            assert.deepStrictEqual([document.id, document.attempt, document.interruptions], [documentId(2), 2, 1])
            const cursor = before.changes.at(-1)?.[1]
            const { changes } = yield* ChangeLog.use((log) =>
              log.changes({ after: cursorAt(Number(cursor)), limit: 9 })
            )
            assert.isAtLeast(changes.length, 2)
            for (const number of [1, 2, 3]) {
              const { blob } = yield* Documents.use((documents) => documents.find(acme, documentId(number)))
              yield* BlobStore.use((blobs) => blobs.touch(blob ?? BlobHash.make("")))
            }
          })
        )
        assert.include(yield* refusal(folder), "its documents were moved into Postgres; set DATABASE_URL")
        const again = yield* sluice(["migrate", "--json"], server)
        assert.deepStrictEqual([again.code, JSON.parse(again.out).state], [0, "moved before"])
      })
    )

    it.live("goes on after a kill, and no server starts meanwhile", () =>
      Effect.gen(function* () {
        const { database, directory, folder, server } = yield* prepared
        yield* on(folder, Effect.void)
        fillMore(directory, 6_000)
        const child = yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn(process.execPath, ["--no-warnings", main, "migrate"], { env: server, stdio: "ignore" })
          ),
          (child) => Effect.sync(() => child.kill("SIGKILL"))
        )
        const ended = new Promise((resolve) => child.once("exit", resolve))
        const progress = Effect.map(
          Effect.orElseSucceed(
            Effect.exit(execute(database, "SELECT rows::int AS rows FROM folder_move_tables WHERE name = 'documents'")),
            () => undefined
          ),
          (exit) => (exit !== undefined && Exit.isSuccess(exit) ? JSON.stringify(exit.value[0]) : "[]")
        )
        const reached = yield* until(progress, (rows) => rows !== "[]")
        child.kill("SIGKILL")
        yield* Effect.promise(() => ended)
        assert.notInclude(reached, "6000")
        assert.include(yield* refusal(folder), "being moved into Postgres, and that has not ended")
        assert.include(
          yield* refusal({ ...server, DATA_DIR: join(directory, "another") }),
          "run `sluice migrate` again"
        )

        const { directory: other, folder: otherFolder } = yield* prepared
        yield* on(otherFolder, Effect.void)
        const foreign = yield* sluice(["migrate"], { ...server, DATA_DIR: other })
        assert.include(foreign.err, "the documents of another folder")
        yield* on(otherFolder, Effect.void)

        const moved = yield* sluice(["migrate", "--json"], server)
        assert.strictEqual(moved.code, 0, moved.err)
        assert.deepInclude(
          JSON.parse(moved.out).tables.map(({ name, rows }: { name: string; rows: number }) => [name, rows]),
          ["pages", 6_000]
        )
        const stats = yield* on(
          server,
          QueueStats.use((stats) => stats.stats())
        )
        assert.strictEqual(stats.waiting, 6_000)
      })
    )

    it.live("refuses a folder in use and a database in use, and changes neither", () =>
      Effect.gen(function* () {
        const { database, directory, folder, server } = yield* prepared
        yield* on(folder, fill)
        const held = yield* Effect.scoped(
          Effect.andThen(
            holdDataDirectory(directory),
            Effect.all([sluice(["migrate"], server), sluice(["migrate", "--dry-run"], server)])
          )
        )
        for (const { code, err } of held) {
          assert.strictEqual(code, 1)
          assert.include(err, "another Sluice works in it")
        }
        const other = { ...server, DATA_DIR: join(directory, "..", "other") }
        yield* on(
          other,
          Effect.gen(function* () {
            assert.include((yield* sluice(["migrate"], server)).err, "servers are connected to the database")
            yield* DocumentQueue.use((queue) => queue.accept(newDocument(9), plenty))
          })
        )
        const { code, err } = yield* sluice(["migrate"], server)
        assert.strictEqual(code, 1)
        assert.include(err, "its table documents is not empty")
        yield* on(folder, Effect.void)
        assert.strictEqual(documentsIn(directory), 3)
        const [rows] = yield* execute(database, "SELECT count(*)::int AS n FROM documents")
        assert.deepStrictEqual(rows, [{ n: 1 }])
        yield* execute(
          database,
          "DELETE FROM documents",
          "INSERT INTO usage VALUES ('t', '2026-01-01', 'worker', 0, 0, 0, 0, 1, 0)"
        )
        assert.include((yield* sluice(["migrate"], server)).err, "its table usage is not empty")
        assert.isFalse(existsSync(join(directory, "migration.json")))
        const unnamed = yield* sluice(["migrate"], folder)
        assert.strictEqual(unnamed.code, 2)
      })
    )

    it.live("notices that something else has written to the database meanwhile, and that the key is another", () =>
      Effect.gen(function* () {
        const { database, directory, folder, server } = yield* prepared
        yield* on(folder, fill)
        const otherKey = { ...server, SECRET_KEY: "0".repeat(64) }
        assert.include((yield* sluice(["migrate"], otherKey)).err, "sealed with another key")
        yield* execute(
          database,
          "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.text := 'other'; RETURN NEW; END $$",
          "CREATE TRIGGER change BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION change()"
        )
        const { code, err } = yield* sluice(["migrate"], server)
        assert.strictEqual(code, 1)
        assert.include(err, "table pages has 4 rows in Postgres and 4 in the folder, or their contents differ")
        assert.isTrue(existsSync(join(directory, "sluice.db")))
        assert.include(readFileSync(join(directory, "migration.json"), "utf8"), "begun")
      })
    )
  }
)
