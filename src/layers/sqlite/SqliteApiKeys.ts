/**
 * `ApiKeys` in the database of the documents. Keys in use are also cached in memory: a request costs a hash and a lookup in a
 * map. Only this process writes keys, so the cache is never stale.
 */
import { Clock, DateTime, Effect, Layer, Option, Result, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { ApiKey, ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import { TenantId } from "../../domain/Ids.ts"
import { ApiKeyNotFound, ApiKeys, type KeyHolder, mostKeys, TooManyApiKeys } from "../../services/apiKeys/ApiKeys.ts"
import { makeRevocations } from "../../services/apiKeys/ApiKeysRevocations.ts"
import { digest, generate, idIn, noDigest, sameDigest } from "../../services/apiKeys/ApiKeysText.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { migrate } from "./database/Migrations.ts"
import { number, text } from "./documents/rows.ts"
import { type Row, SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"

/** The most keys in the cache. Beyond it the key that entered first leaves, and is read again at its next use. */
const mostHeld = 10_000

/** How often the uses of keys are written to the database. */
const usesWritten = "1 minute"

interface Held extends Pick<KeyHolder, "id" | "tenantId"> {
  readonly digest: Uint8Array
}

const blob = (row: Row, column: string): Uint8Array => {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} holds no bytes`)
  return value
}

const findHeld = (db: Statements, id: ApiKeyId): Held | undefined => {
  const row = db.get("SELECT tenant_id, digest FROM api_keys WHERE id = ?", id)
  return row && { id, tenantId: TenantId.make(text(row, "tenant_id")), digest: blob(row, "digest") }
}

/** Each table is read only as far as the answer can reach. `*` stands for all tenants. */
const firstTenants = (table: string) =>
  `SELECT * FROM (
    SELECT DISTINCT tenant_id FROM ${table} WHERE tenant_id > ? AND tenant_id <> '*' ORDER BY tenant_id LIMIT ?
  )`

/** A transaction can be open here only if its rollback failed. */
const outsideTransaction = (db: Statements): Statements => {
  if (db.inTransaction()) db.exec("ROLLBACK")
  return db
}

const make = Effect.gen(function* () {
  yield* migrate
  const random = yield* SecureRandom.SecureRandom
  const database = yield* SqliteDatabase
  const held = new Map<ApiKeyId, Held>()
  /** Uses that are not written to the database yet. */
  const uses = new Map<ApiKeyId, number>()
  const revocations = makeRevocations()

  const unavailable = (operation: string) => (cause: SqlError) => new StoreUnavailable({ operation, cause })
  const read = <A>(operation: string, question: (db: Statements) => A) =>
    Effect.mapError(database.use(operation, question), unavailable(operation))
  const write = <A>(operation: string, body: (db: Statements) => A) =>
    database
      .use(operation, (db) => body(outsideTransaction(db)))
      .pipe(
        Effect.tap(database.flush),
        Effect.mapError(unavailable(operation)),
        // Uninterruptible, so that a committed change is also flushed.
        Effect.uninterruptible
      )

  const hold = (key: Held): Held => {
    const oldest = held.size >= mostHeld ? held.keys().next().value : undefined
    if (oldest !== undefined) held.delete(oldest)
    held.set(key.id, key)
    return key
  }

  /** In one turn of the connection, like revoking: no key gets back into the cache after it was revoked. */
  const find = (id: ApiKeyId): Effect.Effect<Held | undefined, StoreUnavailable> => {
    const known = held.get(id)
    if (known !== undefined) return Effect.succeed(known)
    return read("find a key", (db) => {
      const found = findHeld(db, id)
      return found && hold(found)
    })
  }

  /** True also while the store is unavailable, which is no reason to end work that goes on. */
  const isKey = (id: ApiKeyId) =>
    Effect.suspend(() => find(id)).pipe(
      Effect.map((key) => key !== undefined),
      Effect.catch(() => Effect.succeed(true))
    )

  const toKey = (row: Row): ApiKey => {
    const id = ApiKeyId.make(text(row, "id"))
    const lastUsed = uses.get(id) ?? (row["last_used_at"] === null ? undefined : number(row, "last_used_at"))
    return new ApiKey({
      id,
      tenantId: TenantId.make(text(row, "tenant_id")),
      name: text(row, "name"),
      createdAt: DateTime.makeUnsafe(number(row, "created_at")),
      ...(lastUsed === undefined ? {} : { lastUsedAt: DateTime.makeUnsafe(lastUsed) })
    })
  }

  const writeUses = Effect.suspend(() => {
    if (uses.size === 0) return Effect.void
    const written = [...uses]
    return database
      .use("record the use of keys", (db) => {
        outsideTransaction(db).exec("BEGIN IMMEDIATE")
        const done = Result.try(() => {
          for (const [id, at] of written) db.run("UPDATE api_keys SET last_used_at = ? WHERE id = ?", at, id)
          db.exec("COMMIT")
        })
        if (Result.isFailure(done)) {
          Result.try(() => outsideTransaction(db))
          throw done.failure
        }
        for (const [id, at] of written) if (uses.get(id) === at) uses.delete(id)
      })
      .pipe(Effect.ignore({ log: "Warn" }))
  })
  yield* Effect.addFinalizer(() => writeUses)
  yield* writeUses.pipe(Effect.repeat(Schedule.spaced(usesWritten)), Effect.forkScoped)

  return ApiKeys.of({
    create: Effect.fn("ApiKeys.create")(function* (tenantId, name) {
      const { id, text } = yield* generate(random)
      const now = yield* Clock.currentTimeMillis
      const own = digest(text)
      const count = yield* write("make a key", (db) => {
        const row = db.get("SELECT count(*) AS keys FROM api_keys WHERE tenant_id = ?", tenantId)
        const keys = row === undefined ? 0 : number(row, "keys")
        if (keys >= mostKeys) return keys
        db.run(
          "INSERT INTO api_keys (id, tenant_id, name, digest, created_at) VALUES (?, ?, ?, ?, ?)",
          id,
          tenantId,
          name,
          own,
          now
        )
        return keys
      })
      if (count >= mostKeys) return yield* new TooManyApiKeys({ tenantId, allowed: mostKeys })
      return { key: new ApiKey({ id, tenantId, name, createdAt: DateTime.makeUnsafe(now) }), text }
    }),
    list: Effect.fn("ApiKeys.list")((tenant) =>
      read("list keys", (db) =>
        db.all("SELECT * FROM api_keys WHERE tenant_id = ? ORDER BY created_at, rowid", tenant).map(toKey)
      )
    ),
    revoke: Effect.fn("ApiKeys.revoke")(function* (tenant, id) {
      const revoked = yield* write("revoke a key", (db) => {
        const deleted = db.run("DELETE FROM api_keys WHERE id = ? AND tenant_id = ?", id, tenant)
        if (deleted > 0) {
          held.delete(id)
          uses.delete(id)
          revocations.announce(id)
        }
        return deleted
      })
      if (revoked === 0) return yield* new ApiKeyNotFound({ keyId: id })
    }),
    verify: Effect.fnUntraced(function* (presented) {
      const id = Option.getOrUndefined(idIn(presented))
      const key = id === undefined ? undefined : yield* find(id)
      if (!sameDigest(digest(presented), key?.digest ?? noDigest) || key === undefined) return Option.none()
      uses.set(key.id, yield* Clock.currentTimeMillis)
      const { tenantId } = key
      return Option.some({ id: key.id, tenantId, revoked: revocations.wait(key.id, isKey(key.id)) })
    }),
    tenants: Effect.fn("ApiKeys.tenants")(({ after: first = "", limit }) =>
      read("list tenants", (db) =>
        db
          .all(
            `SELECT t.tenant_id, (SELECT count(*) FROM api_keys k WHERE k.tenant_id = t.tenant_id) AS keys
              FROM (${["tenant_stats", "tenant_limits", "api_keys"].map(firstTenants).join(" UNION ")}) t
              ORDER BY t.tenant_id LIMIT ?`,
            first,
            limit,
            first,
            limit,
            first,
            limit,
            limit
          )
          .map((row) => ({ tenantId: TenantId.make(text(row, "tenant_id")), keys: number(row, "keys") }))
      )
    )
  })
})

/** On a database that others share. Brings its tables up to date first, which only one may do at a time. */
export const layerNoDeps: Layer.Layer<ApiKeys, StoreUnavailable, SqlClient.SqlClient | SqliteDatabase> = Layer.effect(
  ApiKeys,
  make.pipe(
    Effect.catchTag(
      ["MigrationError", "SqlError"],
      (cause) => new StoreUnavailable({ operation: "bring the keys' table up to date", cause })
    )
  )
).pipe(Layer.provide(SecureRandom.layerWebCrypto))
