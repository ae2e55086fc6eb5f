import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { migrateTo } from "../../../src/layers/sqlite/database/Migrations.ts"
import { layer as clientLayer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import * as SqliteStore from "../../../src/layers/sqlite/SqliteStore.ts"
import * as SqliteTenantRegistry from "../../../src/layers/sqlite/SqliteTenantRegistry.ts"
import {
  acme,
  globex,
  isPaused,
  limitsOf,
  settings,
  tenantRegistryConformance,
  update,
  updateWith
} from "../../conformance/tenantRegistry.ts"
import { wholeStore } from "../../support/store.ts"

const temporaryFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped()}/limits.db`
}).pipe(Effect.provide(NodeFileSystem.layer))

tenantRegistryConformance("The tenant registry on SQLite", (overrides) =>
  Layer.unwrap(
    Effect.map(temporaryFile, (filename) =>
      SqliteTenantRegistry.layerNoDeps(overrides).pipe(
        Layer.provideMerge(SqliteStore.layerNoDeps),
        Layer.provide(SqliteStore.layerDatabase({ filename }))
      )
    )
  )
)

/** Documents and limits in one file, as the engine has them, with the database below. */
const on = (filename: string) =>
  SqliteTenantRegistry.layerNoDeps({ [globex]: { documents: 9 } }).pipe(
    Layer.provideMerge(SqliteStore.layerNoDeps),
    Layer.provideMerge(SqliteStore.layerDatabase({ filename })),
    Layer.provide(settings)
  )

const execute = (sql: string) =>
  SqliteDatabase.use((database) => database.use("test", (statements) => statements.exec(sql)))

const rowsOf = SqliteDatabase.use((database) =>
  database.use("test", (statements) => statements.all("SELECT tenant_id FROM tenant_limits"))
)

describe("The tenant registry on SQLite, as a file", () => {
  it.effect("keeps changes when it is closed and opened again", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const [before, other] = yield* Effect.gen(function* () {
        yield* update(acme, {
          documents: 1,
          weight: 0.25,
          backlog: 2,
          pages: 3,
          rate: 0.5,
          burst: 4,
          maxStoredBytes: 9
        })
        yield* update(globex, { weight: 3, documents: 1 })
        yield* update(globex, { documents: null })
        return [yield* limitsOf(acme), yield* limitsOf(globex)] as const
      }).pipe(Effect.provide(on(filename)))
      assert.deepStrictEqual(before, {
        documents: 1,
        weight: 0.25,
        backlog: 2,
        pages: 3,
        rate: 0.5,
        burst: 4,
        maxStoredBytes: 9
      })
      assert.deepInclude(other, { documents: 9, weight: 3 })
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* limitsOf(acme), before)
        assert.deepStrictEqual(yield* limitsOf(globex), other)
      }).pipe(Effect.provide(on(filename)))
    })
  )

  it.effect("keeps nothing of a tenant that is back at its defaults", () =>
    Effect.gen(function* () {
      yield* update(acme, { weight: 3 })
      assert.strictEqual((yield* rowsOf).length, 1)
      yield* update(acme, { weight: null })
      assert.deepStrictEqual(yield* rowsOf, [])
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
  )

  it.effect("changes nothing when the change cannot be kept", () =>
    Effect.gen(function* () {
      yield* update(acme, { weight: 3 })
      yield* execute("PRAGMA query_only = ON")
      const failed = yield* Effect.flip(update(acme, { weight: 4 }))
      assert.strictEqual(failed._tag, "StoreUnavailable")
      assert.include(failed.message, "change a tenant's limits")
      assert.deepInclude(yield* limitsOf(acme), { weight: 3 })
      yield* execute("PRAGMA query_only = OFF")
      assert.deepInclude(yield* update(acme, { documents: 1 }), { weight: 3, documents: 1 })
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
  )

  it.effect("keeps limits and the pause in one commit, and both over a restart", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* Effect.gen(function* () {
        assert.deepStrictEqual((yield* updateWith(acme, true, { weight: 3 })).seen, [])
        yield* update(globex, { weight: 2 })
      }).pipe(Effect.provide(on(filename)))
      yield* Effect.gen(function* () {
        assert.isTrue(yield* isPaused(acme))
        assert.deepInclude(yield* limitsOf(acme), { weight: 3 })
        assert.isFalse(yield* isPaused(globex))
      }).pipe(Effect.provide(on(filename)))
    })
  )

  for (const table of ["tenant_limits", "tenant_stats"]) {
    it.effect(`keeps neither limits nor the pause when ${table} cannot be written`, () =>
      Effect.gen(function* () {
        yield* updateWith(acme, false, { weight: 3 })
        for (const event of ["INSERT", "UPDATE"]) {
          yield* execute(
            `CREATE TRIGGER refuse_${event} BEFORE ${event} ON ${table} BEGIN SELECT RAISE(ABORT, 'full'); END`
          )
        }
        const failed = yield* Effect.flip(updateWith(acme, true, { weight: 4 }))
        assert.strictEqual(failed._tag, "StoreUnavailable")
        assert.isFalse(yield* isPaused(acme))
        assert.deepInclude(yield* limitsOf(acme), { weight: 3 })
        for (const event of ["INSERT", "UPDATE"]) yield* execute(`DROP TRIGGER refuse_${event}`)
        yield* updateWith(acme, true, { documents: 1 })
        assert.isTrue(yield* isPaused(acme))
        assert.deepInclude(yield* limitsOf(acme), { weight: 3, documents: 1 })
      }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
    )
  }

  it.effect("keeps a change also when a transaction was left open", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* Effect.gen(function* () {
        yield* execute("BEGIN IMMEDIATE")
        yield* update(acme, { weight: 3 })
      }).pipe(Effect.provide(on(filename)))
      assert.deepInclude(yield* Effect.provide(limitsOf(acme), on(filename)), { weight: 3 })
    })
  )

  it.effect("brings a file of documents up to date that knew no limits", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* migrateTo(4).pipe(Effect.provide(clientLayer({ filename })))
      yield* Effect.gen(function* () {
        assert.deepInclude(yield* limitsOf(acme), { documents: 3 })
        yield* (yield* wholeStore).stats()
      }).pipe(Effect.provide(on(filename)))
    })
  )

  it.effect("does not start over limits that it cannot read", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* execute("INSERT INTO tenant_limits (tenant_id, weight) VALUES ('acme', -1)").pipe(
        Effect.provide(on(filename))
      )
      const failed = yield* Effect.flip(Effect.provide(limitsOf(acme), on(filename)))
      assert.include(String(failed), "read the tenants' limits")
    })
  )
})
