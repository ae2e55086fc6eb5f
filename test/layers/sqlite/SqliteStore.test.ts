import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Deferred, Effect, Fiber, FileSystem, Layer, Result } from "effect"
import { SqlClient } from "effect/sql"
import { warning } from "../../../src/domain/document/Warning.ts"
import { migrateTo } from "../../../src/layers/sqlite/database/Migrations.ts"
import { SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import { layer, layerDatabase, layerNoDeps } from "../../../src/layers/sqlite/SqliteStore.ts"
import { storeConformance } from "../../conformance/store.ts"
import {
  accept,
  acme,
  at,
  blobHash,
  claim,
  documentId,
  globex,
  newDocument,
  openedPdf,
  page,
  pendingCallbacks,
  plenty,
  retry
} from "../../conformance/storeFixtures.ts"
import { wholeStore } from "../../support/store.ts"

const temporaryFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped()}/documents.db`
}).pipe(Effect.provide(NodeFileSystem.layer))

const inTemporaryFile = Layer.unwrap(Effect.map(temporaryFile, (filename) => layer({ filename })))

storeConformance("The document store on SQLite", inTemporaryFile)

/** The store together with the database below it, so that a test can break the one under the other. */
const withDatabase = Layer.unwrap(
  Effect.map(temporaryFile, (filename) => Layer.provideMerge(layerNoDeps, layerDatabase({ filename })))
)

const pragma = (setting: string) =>
  SqliteDatabase.use((database) => database.use("set a pragma", (statements) => statements.exec(`PRAGMA ${setting}`)))

describe("The document store on SQLite, as a file", () => {
  it.effect("keeps everything when it is closed and opened again", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const before = yield* Effect.gen(function* () {
        const store = yield* wholeStore
        yield* accept(1, { sealedPassword: "sealed", callback: "https://example.org/hook" })
        yield* accept(2, { notBefore: 5_000 })
        yield* accept(3, { tenantId: globex })
        const { fence } = yield* claim()
        yield* store.opened(fence, openedPdf)
        yield* store.savePages(fence, [page(1)])
        const other = yield* claim(globex)
        yield* at(3_000, store.finish(other.fence, { status: "completed" }))
        return {
          fence,
          document: yield* store.find(acme, documentId(1)),
          stats: yield* store.stats(),
          tenantStats: yield* store.stats(acme)
        }
      }).pipe(Effect.provide(layer({ filename })))

      yield* Effect.gen(function* () {
        const store = yield* wholeStore
        assert.deepStrictEqual(yield* store.find(acme, documentId(1)), before.document)
        assert.deepStrictEqual(yield* store.stats(), before.stats)
        assert.deepStrictEqual(yield* store.stats(acme), before.tenantStats)
        assert.deepStrictEqual(yield* store.pages(acme, documentId(1), { from: 1, limit: 9, detail: true }), [page(1)])
        yield* store.savePages(before.fence, [page(2)])
        assert.deepStrictEqual(yield* at(99_000, store.reclaimExpired), [acme])
        const again = yield* claim()
        assert.strictEqual(again.sealedPassword, "sealed")
        assert.deepStrictEqual([...again.donePages], [1, 2])
        yield* at(4_000, store.finish(again.fence, { status: "completed" }))
        assert.strictEqual((yield* pendingCallbacks(4_000, 9)).length, 1)
      }).pipe(Effect.provide(layer({ filename })))
    })
  )

  it.effect("forgets sealed passwords when documents end, however they end", () =>
    Effect.gen(function* () {
      const store = yield* wholeStore
      const sql = yield* SqlClient.SqlClient
      yield* Effect.forEach([1, 2, 3], (number) => accept(number, { sealedPassword: `sealed-${number}` }))
      const { fence } = yield* claim()
      yield* at(3_000, store.finish(fence, { status: "completed" }))
      yield* at(3_000, store.cancel(acme, documentId(2)))
      const kept = yield* sql`SELECT sealed_password FROM documents ORDER BY id`.values
      assert.deepStrictEqual(kept, [[null], [null], ["sealed-3"]])
    }).pipe(Effect.provide(withDatabase))
  )

  it.effect("takes over documents and pages of the time before there were warnings", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migrateTo(12)
      const old = { id: documentId(1), tenant_id: acme, name: "1.pdf", blob: blobHash(1), size: 100, priority: 5 }
      yield* sql`INSERT INTO documents ${sql.insert({
        ...old,
        seq: 1,
        status: "partial",
        page_count: 2,
        pages_done: 2,
        pages_failed: 1,
        accepted_at: 1_000,
        finished_at: 2_000
      })}`
      const shown = { document: 1, width: 595.5, height: 842, rotation: 0, elapsed_millis: 2.5 }
      const lines = "[]"
      yield* sql`INSERT INTO pages ${sql.insert([
        { ...shown, number: 1, status: "ok", text: "text of page 1", lines },
        { ...shown, number: 2, status: "failed", text: "", lines }
      ])}`
      yield* Effect.gen(function* () {
        const store = yield* wholeStore
        const found = yield* store.find(acme, documentId(1))
        assert.deepStrictEqual(found.progress, { pages: 2, done: 2, failed: 1 })
        assert.isUndefined(found.warnings)
        const [first] = yield* store.pages(acme, documentId(1), { from: 1, limit: 9, detail: true })
        assert.deepStrictEqual(first, page(1, { lines }))
        yield* retry(acme, documentId(1), { at: 3_000, sealedPassword: undefined, passwordKey: undefined }, plenty)
        const { fence } = yield* claim()
        yield* store.savePages(fence, [page(2, { warnings: [warning("TEXT_MISSING")] })])
        assert.deepStrictEqual((yield* store.find(acme, documentId(1))).progress, {
          pages: 2,
          done: 2,
          failed: 0,
          warned: 1
        })
      }).pipe(Effect.provide(layerNoDeps))
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, (filename) => layerDatabase({ filename })))))
  )

  it.effect("takes over documents of the time before passwords had keys, and lets no other stand in for them", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migrateTo(3)
      yield* Effect.forEach(
        [1, 2],
        (number) =>
          sql`INSERT INTO documents ${sql.insert({
            id: documentId(number),
            tenant_id: acme,
            name: `${number}.pdf`,
            blob: blobHash(number),
            size: 100,
            priority: 5,
            status: "queued",
            sealed_password: number === 1 ? "sealed" : null,
            accepted_at: 1_000
          })}`
      )
      yield* Effect.gen(function* () {
        const store = yield* wholeStore
        const sameAs = (number: number) => {
          const { name, source } = newDocument(number)
          return { name, source, reuse: true }
        }
        assert.strictEqual((yield* accept(3, sameAs(1))).id, documentId(3))
        assert.strictEqual((yield* accept(4, sameAs(2))).id, documentId(2))
        assert.deepInclude(yield* store.find(acme, documentId(1)), { interruptions: 0, retries: 0 })
        const expired = yield* at(2_000, store.expireQueued(Duration.millis(2_000 - 1_001), 9))
        assert.strictEqual(expired.length, 3)
      }).pipe(Effect.provide(layerNoDeps))
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, (filename) => layerDatabase({ filename })))))
  )

  it.effect("counts the bytes and the owed ends of documents of the time before they were counted", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migrateTo(15)
      for (const [number, tenant] of [
        [1, acme],
        [2, acme],
        [3, globex]
      ] as const) {
        yield* sql`INSERT INTO documents ${sql.insert({
          id: documentId(number),
          tenant_id: tenant,
          name: `${number}.pdf`,
          blob: blobHash(number),
          size: 1_000 * number,
          priority: 5,
          status: "completed",
          accepted_at: 1_000,
          finished_at: 1_000 + number,
          callback: "https://example.org/hook",
          callback_next_at: number === 2 ? null : 9_000
        })}`
      }
      yield* sql`INSERT INTO pages ${sql.insert({
        document: 1,
        number: 1,
        status: "ok",
        width: 1,
        height: 1,
        rotation: 0,
        elapsed_millis: 1,
        text: "größer",
        lines: "[]"
      })}`
      yield* sql`INSERT INTO document_details ${sql.insert({ document: 2, metadata: "{}", outline: "[]" })}`
      yield* Effect.gen(function* () {
        const store = yield* wholeStore
        const stored = Effect.map(Effect.all([store.stats(acme), store.stats(globex), store.stats()]), (stats) =>
          stats.map(({ storedBytes }) => storedBytes)
        )
        assert.deepStrictEqual(yield* stored, [3_014, 3_000, 6_014])
        assert.deepStrictEqual(yield* store.owed(acme), { deliveries: 1, since: 1_001 })
        assert.deepStrictEqual(yield* store.owed(), { deliveries: 2, since: 1_001 })
        yield* store.remove(acme, documentId(1))
        assert.deepStrictEqual(yield* stored, [2_004, 3_000, 5_004])
        assert.deepStrictEqual(yield* store.owed(), { deliveries: 1, since: 1_003 })
      }).pipe(Effect.provide(layerNoDeps))
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, (filename) => layerDatabase({ filename })))))
  )

  it.effect("fails as unavailable when the file cannot be opened", () =>
    Effect.gen(function* () {
      const filename = `${yield* temporaryFile}/missing/documents.db`
      const error = yield* Effect.flip(Effect.provide(wholeStore, layer({ filename })))
      assert.strictEqual(error._tag, "StoreUnavailable")
    })
  )

  it.effect("fails as unavailable when it is used after its end", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const store = yield* Effect.provide(wholeStore, layer({ filename }))
      assert.strictEqual((yield* Effect.flip(store.accept(newDocument(1), plenty)))._tag, "StoreUnavailable")
      assert.strictEqual((yield* Effect.flip(store.stats()))._tag, "StoreUnavailable")
    })
  )
})

describe("The document store on SQLite, in trouble", () => {
  it.effect("keeps nothing of what a full disk refuses, and goes on when there is room again", () =>
    Effect.gen(function* () {
      const store = yield* wholeStore
      yield* accept(1)
      const { fence } = yield* claim()
      yield* pragma("max_page_count = 1")
      const large = page(1, { text: "x".repeat(1_000_000) })
      const refusals = yield* Effect.forEach(
        [1, 2, 3],
        (number) => Effect.flip(store.savePages(fence, [{ ...large, number }])),
        { concurrency: "unbounded" }
      )
      for (const refusal of refusals) assert.strictEqual(refusal._tag, "StoreUnavailable")
      assert.strictEqual((yield* store.find(acme, fence.documentId)).progress.done, 0)
      yield* pragma("max_page_count = 100000")
      yield* store.savePages(fence, [large])
      assert.deepStrictEqual(yield* store.pages(acme, fence.documentId, { from: 1, limit: 9, detail: true }), [large])
    }).pipe(Effect.provide(withDatabase))
  )

  it.effect("fails every writer while the database is read-only, answers reads, and goes on afterwards", () =>
    Effect.gen(function* () {
      const store = yield* wholeStore
      yield* accept(1)
      yield* pragma("query_only = 1")
      const refusals = yield* Effect.forEach([2, 3, 4], (number) => Effect.flip(accept(number)), {
        concurrency: "unbounded"
      })
      for (const refusal of refusals) assert.strictEqual(refusal._tag, "StoreUnavailable")
      assert.strictEqual((yield* store.find(acme, documentId(1))).status, "queued")
      yield* pragma("query_only = 0")
      yield* accept(2)
      assert.strictEqual((yield* store.stats()).waiting, 2)
    }).pipe(Effect.provide(withDatabase))
  )

  it.effect("fails only the one writer of a batch whose write is impossible", () =>
    Effect.gen(function* () {
      const store = yield* wholeStore
      yield* accept(7)
      const results = yield* Effect.forEach([5, 6, 7, 8, 9], (number) => Effect.result(accept(number)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(results.map(Result.isSuccess), [true, true, false, true, true])
      assert.strictEqual((yield* store.stats()).waiting, 5)
    }).pipe(Effect.provide(withDatabase))
  )

  it.effect("leaves out writers that are interrupted while they wait, and serves the others", () =>
    Effect.gen(function* () {
      const store = yield* wholeStore
      const database = yield* SqliteDatabase
      const held = yield* Deferred.make<void>()
      const holding = yield* Deferred.make<void>()
      const holder = yield* Effect.forkChild(
        database.turn.withPermit(Effect.andThen(Deferred.succeed(holding, undefined), Deferred.await(held)))
      )
      yield* Deferred.await(holding)
      const writers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (number) =>
        Effect.forkChild(accept(number), { startImmediately: true })
      )
      yield* Effect.forEach(
        writers.filter((_, index) => index % 2 === 0),
        Fiber.interrupt
      )
      yield* Deferred.succeed(held, undefined)
      yield* Fiber.join(holder)
      yield* Effect.forEach(
        writers.filter((_, index) => index % 2 === 1),
        Fiber.join
      )
      const kept = yield* store.list(acme, { status: undefined, before: undefined, limit: 10 })
      assert.deepStrictEqual(
        kept.map(({ id }) => id),
        [documentId(6), documentId(4), documentId(2)]
      )
      assert.strictEqual((yield* store.stats()).waiting, 3)
    }).pipe(Effect.provide(withDatabase))
  )
})

describe("The SQL client on node:sqlite", () => {
  const client = layerDatabase({ filename: ":memory:" })

  it.effect("commits a transaction that succeeds and undoes one that fails", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE notes (body TEXT NOT NULL UNIQUE)`
      yield* sql.withTransaction(sql`INSERT INTO notes ${sql.insert([{ body: "a" }, { body: "b" }])}`)
      yield* Effect.ignore(sql.withTransaction(Effect.andThen(sql`INSERT INTO notes VALUES ('c')`, Effect.fail("no"))))
      assert.deepStrictEqual(
        (yield* sql`SELECT body FROM notes ORDER BY body`).map(({ body }) => body),
        ["a", "b"]
      )
    }).pipe(Effect.provide(client))
  )

  it.effect("undoes an inner transaction without the outer one", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE notes (body TEXT NOT NULL)`
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`INSERT INTO notes VALUES ('outer')`
          yield* Effect.ignore(
            sql.withTransaction(Effect.andThen(sql`INSERT INTO notes VALUES ('inner')`, Effect.fail("no")))
          )
          yield* sql.withTransaction(sql`INSERT INTO notes VALUES ('second')`)
        })
      )
      assert.deepStrictEqual(yield* sql`SELECT body FROM notes`.values, [["outer"], ["second"]])
    }).pipe(Effect.provide(client))
  )

  it.effect("tells a broken constraint from a broken statement", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE notes (body TEXT NOT NULL UNIQUE)`
      yield* sql`INSERT INTO notes VALUES ('a')`
      const twice = yield* Effect.flip(sql`INSERT INTO notes VALUES ('a')`)
      assert.strictEqual(twice.reason._tag, "UniqueViolation")
      const wrong = yield* Effect.flip(sql`SELECT nothing FROM nowhere`)
      assert.notStrictEqual(wrong.reason._tag, "UniqueViolation")
    }).pipe(Effect.provide(client))
  )

  it.effect("takes turns with the document store on one connection", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const inside = yield* Effect.forkChild(sql.withTransaction(Effect.andThen(sql`SELECT 1`, Effect.yieldNow)), {
        startImmediately: true
      })
      yield* accept(1)
      yield* Fiber.join(inside)
      assert.strictEqual((yield* claim()).document.id, documentId(1))
    }).pipe(Effect.provide(withDatabase))
  )
})
