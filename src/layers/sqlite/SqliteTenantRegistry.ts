/**
 * `TenantRegistry` that keeps changes in the database of the documents. All of them are held in memory, too. Each change has a
 * version, which grows, so a refresh reads only the changes of other processes that are not known here yet.
 */
import { Effect, Layer, Result, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { TenantId } from "../../domain/Ids.ts"
import { limitNames, patched, TenantLimitsPatch, type TenantOverride } from "../../domain/tenant/TenantLimits.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { EngineConfig } from "../../services/config/EngineConfig.ts"
import { KnownLimits } from "../../services/KnownLimits.ts"
import { limitsOver, overridesFromEnv, TenantRegistry, type TenantOverrides } from "../../services/TenantRegistry.ts"
import { setPaused } from "./documents/lifecycle.ts"
import { number } from "../rows/documentRows.ts"
import { limitColumns, namedLimits } from "../rows/limitColumns.ts"
import { migrate } from "./database/Migrations.ts"
import { SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"

const Rows = Schema.Array(Schema.Struct({ tenant_id: TenantId, version: Schema.Int, ...TenantLimitsPatch.fields }))
const decodeRows = Schema.decodeUnknownEffect(Rows)
const decodeRowsSync = Schema.decodeUnknownSync(Rows)

/** A tenant that is back at its defaults has a version, and no limits. */
const changedSince = `
  SELECT v.tenant_id, v.version, ${namedLimits}
  FROM tenant_limit_versions v LEFT JOIN tenant_limits l ON l.tenant_id = v.tenant_id WHERE v.version > ?
`
const limitsOfTenant = `
  SELECT tenant_id, 0 AS version, ${namedLimits} FROM tenant_limits WHERE tenant_id = ?
`
const saved = `
  INSERT OR REPLACE INTO tenant_limits (tenant_id, ${limitColumns}) VALUES (?${", ?".repeat(limitNames.length)})
`
const versionOf = "SELECT version FROM tenant_limit_versions WHERE tenant_id = ?"

/** Commits all of it or nothing. */
const transact = <A>(db: Statements, body: () => A): A => {
  // A transaction can be open here only if the rollback of a batch failed.
  if (db.inTransaction()) db.exec("ROLLBACK")
  db.exec("BEGIN IMMEDIATE")
  const done = Result.try(() => {
    const value = body()
    db.exec("COMMIT")
    return value
  })
  if (Result.isSuccess(done)) return done.success
  if (db.inTransaction()) Result.try(() => db.exec("ROLLBACK"))
  throw done.failure
}

const save = (db: Statements, tenant: TenantId, changed: TenantOverride) => {
  if (Object.keys(changed).length === 0) return db.run("DELETE FROM tenant_limits WHERE tenant_id = ?", tenant)
  return db.run(saved, tenant, ...limitNames.map((limit) => changed[limit] ?? null))
}

const make = Effect.fnUntraced(function* (overrides: TenantOverrides) {
  yield* migrate
  const database = yield* SqliteDatabase
  const limitsOf = yield* limitsOver(overrides)
  const known = new KnownLimits()

  const refresh = Effect.gen(function* () {
    const rows = yield* database.use("read limits", (db) => db.all(changedSince, known.refreshedTo))
    if (rows.length === 0) return []
    const decoded = yield* decodeRows(rows)
    return known.take(
      decoded.map(
        ({ tenant_id, version, ...limits }) => [tenant_id, { override: patched({}, limits), version }] as const
      )
    )
  })
  yield* refresh

  /** What is stored: another process may have changed it. */
  const stored = (db: Statements, tenant: TenantId): TenantOverride => {
    const [row] = decodeRowsSync(db.all(limitsOfTenant, tenant))
    if (row === undefined) return {}
    const { tenant_id: _, version: __, ...limits } = row
    return patched({}, limits)
  }

  return TenantRegistry.of({
    limits: (tenant) => Effect.sync(() => limitsOf(tenant, known.of(tenant))),
    // In one turn of the connection, so neither another change nor an interruption comes between file and memory.
    update: Effect.fn("TenantRegistry.update")((tenant, patch, pausing) =>
      database
        .use("change limits", (db) => {
          const { changed, version } = transact(db, () => {
            const changed = patched(stored(db, tenant), patch)
            save(db, tenant, changed)
            if (pausing !== undefined) setPaused(tenant, pausing.paused)(db)
            return { changed, version: number(db.get(versionOf, tenant) ?? { version: 0 }, "version") }
          })
          known.set(tenant, changed, version)
          return limitsOf(tenant, changed)
        })
        .pipe(
          Effect.tap(database.flush),
          Effect.mapError((cause) => new StoreUnavailable({ operation: "change a tenant's limits", cause })),
          // Uninterruptible, so that a committed change is also flushed.
          Effect.uninterruptible
        )
    ),
    refresh: Effect.mapError(refresh, (cause) => new StoreUnavailable({ operation: "read the tenants' limits", cause }))
  })
})

type Dependencies = EngineConfig | SqlClient.SqlClient | SqliteDatabase

/** On a database that others share. Brings its tables up to date first, which only one may do at a time. */
export const layerNoDeps = (
  overrides: TenantOverrides = {}
): Layer.Layer<TenantRegistry, StoreUnavailable, Dependencies> =>
  Layer.effect(
    TenantRegistry,
    make(overrides).pipe(
      Effect.catchTag(
        ["MigrationError", "SqlError", "SchemaError"],
        (cause) => new StoreUnavailable({ operation: "read the tenants' limits", cause })
      )
    )
  )

/** The same with the overrides of `TENANT_LIMITS`. */
export const layerNoDepsFromEnv = Layer.unwrap(Effect.map(overridesFromEnv, (overrides) => layerNoDeps(overrides)))
