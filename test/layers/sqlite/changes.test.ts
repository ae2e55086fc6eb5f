import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { migrateTo } from "../../../src/layers/sqlite/database/Migrations.ts"
import { layer as clientLayer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import { layer, layerDatabase, layerNoDeps } from "../../../src/layers/sqlite/SqliteStore.ts"
import { accept, acme, at, blobHash, claim, documentId, page } from "../../conformance/storeFixtures.ts"
import { ChangeLog } from "../../../src/services/store/ChangeLog.ts"
import { wholeStore, type Stores } from "../../support/store.ts"

const temporaryFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped()}/documents.db`
}).pipe(Effect.provide(NodeFileSystem.layer))

const numbers = ChangeLog.use((store) =>
  Effect.map(store.changes({ after: store.beginning, limit: 10_000 }), ({ changes }) =>
    changes.map(({ cursor }) => cursor)
  )
)

describe("The numbers of changes on SQLite", () => {
  it.effect("go on growing when the file is opened again, whatever was removed", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const run = <A, E>(body: Effect.Effect<A, E, Stores>) => Effect.provide(body, Layer.fresh(layer({ filename })))
      const seen = yield* run(
        Effect.gen(function* () {
          const store = yield* wholeStore
          yield* accept(1)
          const { fence } = yield* claim()
          for (let number = 1; number <= 1_500; number++) yield* store.savePages(fence, [page(number)])
          const last = yield* store.last
          yield* at(3_000, store.cancel(acme, documentId(1)))
          yield* store.remove(acme, documentId(1))
          return last
        })
      )
      const [first] = yield* run(Effect.andThen(accept(2), numbers))
      assert.isAbove(first ?? 0, seen)
      const later = yield* run(Effect.andThen(accept(3), numbers))
      assert.strictEqual(later[0], first)
      assert.isAbove(later[1] ?? 0, later[0] ?? 0)
    })
  )

  it.effect("come after all that was there before there were any", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const database = clientLayer({ filename })
      yield* Effect.gen(function* () {
        yield* migrateTo(7)
        yield* SqliteDatabase.use(({ use }) =>
          use("make an old document", (db) => {
            db.run(
              `INSERT INTO documents (id, tenant_id, name, blob, size, priority, status, attempt, page_count, pages_done, accepted_at)
              VALUES (?, ?, 'old.pdf', ?, 1, 5, 'running', 1, 3, 2, 1000)`,
              documentId(1),
              acme,
              blobHash(1)
            )
            for (const number of [2, 1]) {
              db.run(
                `INSERT INTO pages (document, number, status, width, height, rotation, elapsed_millis, text, lines)
                VALUES (1, ?, 'ok', 1, 1, 0, 1, '', '[]')`,
                number
              )
            }
          })
        )
      }).pipe(Effect.provide(database))
      yield* Effect.gen(function* () {
        const store = yield* wholeStore
        const before = yield* store.last
        yield* store.savePages({ documentId: documentId(1), attempt: 1 }, [page(3)])
        const all = yield* store.changesOf(acme, documentId(1), { after: undefined, limit: 10 })
        assert.deepStrictEqual(
          all.pages.map((change) => change.page),
          [2, 1, 3]
        )
        assert.isAbove(all.pages[2]?.cursor ?? 0, before)
        assert.isAtMost(all.pages[1]?.cursor ?? 0, before)
      }).pipe(Effect.provide(layer({ filename })))
    })
  )

  it.effect("are found without looking through what does not concern them", () =>
    Effect.gen(function* () {
      const plans = yield* SqliteDatabase.use(({ use }) =>
        use("explain", (db) =>
          [
            "SELECT seq, changed, tenant_id FROM documents INDEXED BY documents_changed WHERE changed > 1 ORDER BY changed LIMIT 5",
            "SELECT rowid FROM pages WHERE rowid > 1 ORDER BY rowid LIMIT 5",
            "SELECT seq, changed FROM documents INDEXED BY documents_changed_of_tenant WHERE tenant_id = 1 AND changed > 1 ORDER BY changed LIMIT 5",
            "SELECT rowid FROM pages WHERE document = 1 AND +rowid > 1 ORDER BY +rowid LIMIT 5"
          ].map((sql) => db.all(`EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => String(detail)))
        )
      )
      assert.deepStrictEqual(plans[0], ["SEARCH documents USING COVERING INDEX documents_changed (changed>?)"])
      assert.deepStrictEqual(plans[1], ["SEARCH pages USING INTEGER PRIMARY KEY (rowid>?)"])
      assert.deepStrictEqual(plans[2], [
        "SEARCH documents USING COVERING INDEX documents_changed_of_tenant (tenant_id=? AND changed>?)"
      ])
      assert.include(plans[3]?.[0], "SEARCH pages USING COVERING INDEX sqlite_autoindex_pages_1 (document=?)")
    }).pipe(
      Effect.provide(
        Layer.unwrap(
          Effect.map(temporaryFile, (filename) => Layer.provideMerge(layerNoDeps, layerDatabase({ filename })))
        )
      )
    )
  )
})
