/**
 * `ApiKeys` in Postgres. Keys in use are also cached in memory: a request costs a hash and a lookup in a map. Another process
 * may revoke a key, so a key is read again when it was cached for `KEY_CACHE_TTL`: at most so long a revoked key still works here.
 */
import { Clock, type Context, DateTime, Duration, Effect, Layer, Option, Schedule } from "effect"
import { SecureRandom } from "effect/crypto"
import { ApiKey, type ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import { TenantId } from "../../domain/Ids.ts"
import { ApiKeyNotFound, ApiKeys, mostKeys, TooManyApiKeys } from "../../services/apiKeys/ApiKeys.ts"
import { makeRevocations } from "../../services/apiKeys/ApiKeysRevocations.ts"
import { digest, generate, idIn, noDigest, sameDigest } from "../../services/apiKeys/ApiKeysText.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { type ApiKeysOptions, CacheFor, defaultCacheFor } from "../keys/ApiKeysOptions.ts"
import { type HeldKey, KeyCache } from "../keys/KeyCache.ts"
import { toKey } from "../rows/keyRow.ts"
import { bytes, int4, int8, int8s, text as textOf, texts } from "./database/Parameters.ts"
import { PostgresDatabase, type Row } from "./database/PostgresDatabase.ts"
import { number, text } from "./documents/rows.ts"

/** How often the uses of keys are written to the database. */
const usesWritten = "1 minute"

/** Another process may have recorded a later use. Rows are locked in one order. */
const recordUses = `
  UPDATE api_keys k SET last_used_at = greatest(coalesce(k.last_used_at, 0), u.at)
  FROM unnest($1::text[], $2::bigint[]) AS u (id, at) WHERE k.id = u.id`

/** When each key was last used, kept in memory until it is written: every minute, and when the scope closes. */
const makeUses = Effect.gen(function* () {
  const { run } = yield* PostgresDatabase
  const uses = new Map<ApiKeyId, number>()
  const write = Effect.suspend(() => {
    if (uses.size === 0) return Effect.void
    const written = [...uses].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return run("record the use of keys", (db) =>
      db.all(recordUses, texts(written.map(([id]) => id)), int8s(written.map(([, at]) => at)))
    ).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          for (const [id, at] of written) if (uses.get(id) === at) uses.delete(id)
        })
      ),
      Effect.ignore({ log: "Warn" })
    )
  })
  yield* Effect.addFinalizer(() => write)
  yield* write.pipe(Effect.repeat(Schedule.spaced(usesWritten)), Effect.forkScoped)
  return uses
})

const findSql = "SELECT tenant_id, digest FROM api_keys WHERE id = $1"
const listSql = "SELECT * FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, place"
const createSql = "SELECT create_key($1, $2, $3, $4, $5, $6) AS made"
const revokeSql = "DELETE FROM api_keys WHERE id = $1 AND tenant_id = $2 RETURNING 1"

/** Each table is read only as far as the answer can reach. */
const firstTenants = (table: string) =>
  `(SELECT DISTINCT tenant_id FROM ${table} WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2)`
const tenantsSql = `
  SELECT t.tenant_id, (SELECT count(*) FROM api_keys k WHERE k.tenant_id = t.tenant_id) AS keys
  FROM (${["tenant_stats", "tenant_limits", "api_keys"].map(firstTenants).join(" UNION ")}) t
  ORDER BY t.tenant_id LIMIT $2`

const toHeld = (id: ApiKeyId, row: Row): HeldKey => {
  const kept = row["digest"]
  if (!(kept instanceof Uint8Array)) throw new TypeError("column digest holds no bytes")
  return { id, tenantId: TenantId.make(text(row, "tenant_id")), digest: kept }
}

/** Revocations while a key was read, so that no key gets back into the cache after it was revoked here. */
const makeHeldKeys = (database: PostgresDatabase["Service"], cacheFor: Duration.Input) => {
  const cache = new KeyCache(Duration.toMillis(cacheFor))
  let revocations = 0
  const read = (id: ApiKeyId) => database.run("find a key", (db) => db.get(findSql, id))
  return {
    forget: (id: ApiKeyId): void => {
      revocations++
      cache.forget(id)
    },
    find: Effect.fnUntraced(function* (id: ApiKeyId): Effect.fn.Return<HeldKey | undefined, StoreUnavailable> {
      const now = yield* Clock.currentTimeMillis
      const known = cache.find(id, now)
      if (known !== undefined) return known
      const before = revocations
      const row = yield* read(id)
      if (row === undefined) return undefined
      const key = toHeld(id, row)
      return before === revocations ? cache.hold(key, now) : key
    }),
    /** Reads past the cache. True also while the store is unavailable, which is no reason to end work that goes on. */
    isKey: (id: ApiKeyId) =>
      read(id).pipe(
        Effect.map((row) => {
          if (row === undefined) cache.forget(id)
          return row !== undefined
        }),
        Effect.catch(() => Effect.succeed(true))
      )
  }
}

type Keys = Context.Service.Shape<typeof ApiKeys>

const make = Effect.fnUntraced(function* ({ cacheFor = defaultCacheFor }: ApiKeysOptions) {
  const random = yield* SecureRandom.SecureRandom
  const database = yield* PostgresDatabase
  const { run } = database
  const held = makeHeldKeys(database, cacheFor)
  const uses = yield* makeUses
  const revocations = makeRevocations(cacheFor)

  const managing: Pick<Keys, "create" | "list" | "revoke" | "tenants"> = {
    create: Effect.fn("ApiKeys.create")(function* (tenantId, name) {
      const { id, text: secret } = yield* generate(random)
      const key = new ApiKey({ id, tenantId, name, createdAt: yield* DateTime.now })
      const at = int8(DateTime.toEpochMillis(key.createdAt))
      const row = yield* run("make a key", (db) =>
        db.get(createSql, id, tenantId, textOf(name), bytes(digest(secret)), at, int4(mostKeys))
      )
      if (row?.["made"] !== true) return yield* new TooManyApiKeys({ tenantId, allowed: mostKeys })
      return { key, text: secret }
    }),
    list: Effect.fn("ApiKeys.list")((tenant) =>
      Effect.map(
        run("list keys", (db) => db.all(listSql, tenant)),
        (rows) => rows.map((row) => toKey(row, (id) => uses.get(id)))
      )
    ),
    revoke: Effect.fn("ApiKeys.revoke")(function* (tenant, id) {
      const gone = yield* run("revoke a key", (db) => db.all(revokeSql, id, tenant))
      if (gone.length === 0) return yield* new ApiKeyNotFound({ keyId: id })
      held.forget(id)
      uses.delete(id)
      revocations.announce(id)
    }, Effect.uninterruptible),
    tenants: Effect.fn("ApiKeys.tenants")(({ after, limit }) =>
      Effect.map(
        run("list tenants", (db) => db.all(tenantsSql, after ?? "", int8(limit))),
        (rows) => rows.map((row) => ({ tenantId: TenantId.make(text(row, "tenant_id")), keys: number(row, "keys") }))
      )
    )
  }

  return ApiKeys.of({
    ...managing,
    verify: Effect.fnUntraced(function* (presented) {
      const id = Option.getOrUndefined(idIn(presented))
      const key = id === undefined ? undefined : yield* held.find(id)
      if (!sameDigest(digest(presented), key?.digest ?? noDigest) || key === undefined) return Option.none()
      uses.set(key.id, yield* Clock.currentTimeMillis)
      const { tenantId } = key
      return Option.some({ id: key.id, tenantId, revoked: revocations.wait(key.id, held.isKey(key.id)) })
    })
  })
})

/** On a database whose tables are up to date. */
export const layerNoDepsWith = (options: ApiKeysOptions): Layer.Layer<ApiKeys, never, PostgresDatabase> =>
  Layer.effect(ApiKeys, make(options)).pipe(Layer.provide(SecureRandom.layerWebCrypto))

export const layerNoDeps = layerNoDepsWith({})

/** The same with the time of `KEY_CACHE_TTL`. */
export const layerNoDepsFromEnv = Layer.unwrap(Effect.map(CacheFor, (cacheFor) => layerNoDepsWith({ cacheFor })))
