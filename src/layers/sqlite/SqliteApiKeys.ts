/**
 * `ApiKeys` in the database of the documents. Keys in use are also cached in memory: a request costs a hash and a lookup in a
 * map. Another process may revoke a key, so a key is read again when it was cached for `KEY_CACHE_TTL`: at most so long a revoked
 * key still works here. A key that is not in the cache costs a read by its primary key, whether it exists or not.
 */
import { Clock, DateTime, Duration, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { ApiKey, type ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import { ApiKeyNotFound, ApiKeys, mostKeys, TooManyApiKeys } from "../../services/apiKeys/ApiKeys.ts"
import { makeRevocations } from "../../services/apiKeys/ApiKeysRevocations.ts"
import { digest, generate, idIn, noDigest, sameDigest } from "../../services/apiKeys/ApiKeysText.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { migrate } from "./database/Migrations.ts"
import { SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"
import { type HeldKey, KeyCache } from "../keys/KeyCache.ts"
import { toKey } from "../rows/keyRow.ts"
import { type ApiKeysOptions, CacheFor, defaultCacheFor } from "../keys/ApiKeysOptions.ts"
import * as keyRows from "./keys/keyRows.ts"
import { makeKeyUses, outsideTransaction } from "./keys/KeyUses.ts"

const unavailable = (operation: string) => (cause: SqlError) => new StoreUnavailable({ operation, cause })

/** Reads, and writes that are flushed before they succeed. */
const makeAccess = Effect.map(SqliteDatabase, (database) => ({
  read: <A>(operation: string, question: (db: Statements) => A) =>
    Effect.mapError(database.use(operation, question), unavailable(operation)),
  write: <A>(operation: string, body: (db: Statements) => A) =>
    database
      .use(operation, (db) => body(outsideTransaction(db)))
      .pipe(
        Effect.tap(database.flush),
        Effect.mapError(unavailable(operation)),
        // Uninterruptible, so that a committed change is also flushed.
        Effect.uninterruptible
      )
}))

const make = Effect.fnUntraced(function* ({ cacheFor = defaultCacheFor }: ApiKeysOptions) {
  yield* migrate
  const random = yield* SecureRandom.SecureRandom
  const { read, write } = yield* makeAccess
  const cache = new KeyCache(Duration.toMillis(cacheFor))
  const uses = yield* makeKeyUses
  const revocations = makeRevocations(cacheFor)

  /** In one turn of the connection, like revoking: no key gets back into the cache after it was revoked here. */
  const find = Effect.fnUntraced(function* (id: ApiKeyId): Effect.fn.Return<HeldKey | undefined, StoreUnavailable> {
    const now = yield* Clock.currentTimeMillis
    const known = cache.find(id, now)
    if (known !== undefined) return known
    return yield* read("find a key", (db) => {
      const found = keyRows.findKey(db, id)
      return found && cache.hold(found, now)
    })
  })

  /** Reads past the cache. True also while the store is unavailable, which is no reason to end work that goes on. */
  const isKey = (id: ApiKeyId) =>
    read("find a key", (db) => {
      const found = keyRows.findKey(db, id)
      if (found === undefined) cache.forget(id)
      return found !== undefined
    }).pipe(Effect.catch(() => Effect.succeed(true)))

  return ApiKeys.of({
    create: Effect.fn("ApiKeys.create")(function* (tenantId, name) {
      const { id, text } = yield* generate(random)
      const key = new ApiKey({ id, tenantId, name, createdAt: yield* DateTime.now })
      const made = yield* write("make a key", (db) => keyRows.insert(db, key, digest(text)))
      if (!made) return yield* new TooManyApiKeys({ tenantId, allowed: mostKeys })
      return { key, text }
    }),
    list: Effect.fn("ApiKeys.list")((tenant) =>
      read("list keys", (db) => keyRows.keysOf(db, tenant).map((row) => toKey(row, (id) => uses.get(id))))
    ),
    revoke: Effect.fn("ApiKeys.revoke")(function* (tenant, id) {
      const revoked = yield* write("revoke a key", (db) => {
        const deleted = db.run("DELETE FROM api_keys WHERE id = ? AND tenant_id = ?", id, tenant)
        if (deleted > 0) {
          cache.forget(id)
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
    tenants: Effect.fn("ApiKeys.tenants")(({ after, limit }) =>
      read("list tenants", (db) => keyRows.tenants(db, after ?? "", limit))
    )
  })
})

type Dependencies = SqlClient.SqlClient | SqliteDatabase

/** On a database that others share. Brings its tables up to date first, which only one may do at a time. */
export const layerNoDepsWith = (options: ApiKeysOptions): Layer.Layer<ApiKeys, StoreUnavailable, Dependencies> =>
  Layer.effect(
    ApiKeys,
    make(options).pipe(
      Effect.catchTag(
        ["MigrationError", "SqlError"],
        (cause) => new StoreUnavailable({ operation: "bring the keys' table up to date", cause })
      )
    )
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))

export const layerNoDeps = layerNoDepsWith({})

/** The same with the time of `KEY_CACHE_TTL`. */
export const layerNoDepsFromEnv = Layer.unwrap(Effect.map(CacheFor, (cacheFor) => layerNoDepsWith({ cacheFor })))
