import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, FileSystem, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { TenantId } from "../../../src/domain/Ids.ts"
import * as SqliteApiKeys from "../../../src/layers/sqlite/SqliteApiKeys.ts"
import { migrateTo } from "../../../src/layers/sqlite/database/Migrations.ts"
import { layer as clientLayer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import * as SqliteStore from "../../../src/layers/sqlite/SqliteStore.ts"
import * as SqliteTenantRegistry from "../../../src/layers/sqlite/SqliteTenantRegistry.ts"
import { ApiKeys } from "../../../src/services/apiKeys/ApiKeys.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { TenantRegistry } from "../../../src/services/TenantRegistry.ts"
import { acme, apiKeysConformance, create, globex, holderOf, list, revoke } from "../../conformance/apiKeys.ts"
import { wholeStore } from "../../support/store.ts"

const temporaryFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped()}/keys.db`
}).pipe(Effect.provide(NodeFileSystem.layer))

const on = (filename: string) => SqliteApiKeys.layerNoDeps.pipe(Layer.provideMerge(clientLayer({ filename })))

apiKeysConformance("API keys on SQLite", Layer.unwrap(Effect.map(temporaryFile, on)))

const execute = (sql: string) =>
  SqliteDatabase.use((database) => database.use("test", (statements) => statements.exec(sql)))

const lastWritten = SqliteDatabase.use((database) =>
  database.use("test", (statements) => statements.get("SELECT last_used_at FROM api_keys")?.["last_used_at"])
)

describe("API keys on SQLite, as a file", () => {
  it.effect("work after it was closed and opened again, if they were not revoked", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const { gone, kept } = yield* Effect.gen(function* () {
        const issued = { gone: yield* create(acme), kept: yield* create(acme) }
        yield* TestClock.adjust("10 seconds")
        yield* holderOf(issued.kept.text)
        yield* revoke(issued.gone)
        return issued
      }).pipe(Effect.provide(on(filename)))
      yield* Effect.gen(function* () {
        const [key, ...others] = yield* list(acme)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(key?.lastUsedAt && DateTime.toEpochMillis(key.lastUsedAt), 10_000)
        assert.strictEqual(yield* holderOf(kept.text), acme)
        assert.isUndefined(yield* holderOf(gone.text))
      }).pipe(Effect.provide(on(filename)))
    })
  )

  it.effect("are nowhere in it", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const files = yield* FileSystem.FileSystem
      yield* Effect.gen(function* () {
        const { key, text } = yield* create(acme)
        yield* holderOf(text)
        const stored = yield* Effect.forEach(["", "-wal"], (suffix) => files.readFile(`${filename}${suffix}`))
        const bytes = Buffer.concat(stored)
        assert.isTrue(bytes.includes(key.id))
        assert.isFalse(bytes.includes(Redacted.value(text).slice(-64)))
        assert.isFalse(bytes.includes(Buffer.from(Redacted.value(text).slice(-64), "hex")))
      }).pipe(Effect.provide(on(filename)))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("have their use written down once a minute, and not when they are used", () =>
    Effect.gen(function* () {
      const { text } = yield* create(acme)
      for (let n = 0; n < 5; n++) {
        yield* TestClock.adjust("10 seconds")
        yield* holderOf(text)
        assert.isNull(yield* lastWritten)
      }
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* lastWritten, 50_000)
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
  )

  it.effect("are not asked for again while they are held", () =>
    Effect.gen(function* () {
      const { text } = yield* create(acme)
      yield* holderOf(text)
      yield* execute("ALTER TABLE api_keys RENAME TO hidden")
      assert.strictEqual(yield* holderOf(text), acme)
      assert.strictEqual(
        (yield* Effect.flip(holderOf(Redacted.make(`sluice_${"0".repeat(16)}_${"0".repeat(64)}`))))._tag,
        "StoreUnavailable"
      )
      yield* execute("ALTER TABLE hidden RENAME TO api_keys")
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
  )

  it.effect("stay in the cache through a flood of unknown keys", () =>
    Effect.gen(function* () {
      const { text } = yield* create(acme)
      yield* holderOf(text)
      for (let n = 0; n < 10_500; n++) {
        const unknown = Redacted.make(`sluice_${n.toString(16).padStart(16, "0")}_${"0".repeat(64)}`)
        assert.isUndefined(yield* holderOf(unknown))
      }
      yield* execute("ALTER TABLE api_keys RENAME TO hidden")
      assert.strictEqual(yield* holderOf(text), acme)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Effect.flip(holderOf(text)))._tag, "StoreUnavailable")
      yield* execute("ALTER TABLE hidden RENAME TO api_keys")
      assert.strictEqual(yield* holderOf(text), acme)
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
  )

  it.effect("go on to work when their use cannot be written down", () =>
    Effect.gen(function* () {
      const { text } = yield* create(acme)
      yield* execute("CREATE TRIGGER refuse BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'full'); END")
      yield* holderOf(text)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* holderOf(text), acme)
      yield* execute("DROP TRIGGER refuse")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* lastWritten, 120_000)
    }).pipe(Effect.provide(Layer.unwrap(Effect.map(temporaryFile, on))))
  )

  it.effect("know the tenants with limits or documents, too", () =>
    Effect.gen(function* () {
      yield* create(globex)
      yield* (yield* TenantRegistry).update(TenantId.make("initech"), { weight: 2 })
      yield* (yield* wholeStore).setPaused(acme, true)
      assert.deepStrictEqual(yield* (yield* ApiKeys).tenants({ limit: 10 }), [
        { tenantId: acme, keys: 0 },
        { tenantId: globex, keys: 1 },
        { tenantId: TenantId.make("initech"), keys: 0 }
      ])
    }).pipe(
      Effect.provide(
        Layer.unwrap(
          Effect.map(temporaryFile, (filename) =>
            SqliteTenantRegistry.layerNoDeps().pipe(
              Layer.provideMerge(SqliteApiKeys.layerNoDeps),
              Layer.provideMerge(SqliteStore.layerNoDeps),
              Layer.provide(SqliteStore.layerDatabase({ filename })),
              Layer.provide(EngineConfig.layer())
            )
          )
        )
      )
    )
  )

  it.effect("can be made in a file that knew none", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      yield* migrateTo(6).pipe(Effect.provide(clientLayer({ filename })))
      yield* create(acme).pipe(Effect.provide(on(filename)))
    })
  )
})
