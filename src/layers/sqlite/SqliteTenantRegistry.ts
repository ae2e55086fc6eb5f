/** `TenantRegistry` that keeps changes in the database of the documents. All of them are held in memory, too. */
import { Effect, Layer, Result, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { TenantId } from "../../domain/Ids.ts"
import { patched, TenantLimitsPatch, type TenantOverride } from "../../domain/tenant/TenantLimits.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { EngineConfig } from "../../services/config/EngineConfig.ts"
import { limitsOver, overridesFromEnv, TenantRegistry, type TenantOverrides } from "../../services/TenantRegistry.ts"
import { setPaused } from "./documents/lifecycle.ts"
import { migrate } from "./database/Migrations.ts"
import { SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"

const decodeRows = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ tenant_id: TenantId, ...TenantLimitsPatch.fields }))
)

/** Commits all of it or nothing. */
const transact = (db: Statements, body: () => void) => {
  // A transaction can be open here only if the rollback of a batch failed.
  if (db.inTransaction()) db.exec("ROLLBACK")
  db.exec("BEGIN IMMEDIATE")
  const done = Result.try(() => {
    body()
    db.exec("COMMIT")
  })
  if (Result.isSuccess(done)) return
  if (db.inTransaction()) Result.try(() => db.exec("ROLLBACK"))
  throw done.failure
}

const save = (db: Statements, tenant: TenantId, changed: TenantOverride) => {
  if (Object.keys(changed).length === 0) return db.run("DELETE FROM tenant_limits WHERE tenant_id = ?", tenant)
  const { backlog, burst, documents, maxStoredBytes, pages, rate, weight } = changed
  return db.run(
    `INSERT OR REPLACE INTO tenant_limits (tenant_id, documents, weight, backlog, pages, rate, burst, max_stored_bytes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    tenant,
    documents ?? null,
    weight ?? null,
    backlog ?? null,
    pages ?? null,
    rate ?? null,
    burst ?? null,
    maxStoredBytes ?? null
  )
}

const make = Effect.fnUntraced(function* (overrides: TenantOverrides) {
  yield* migrate
  const database = yield* SqliteDatabase
  const limitsOf = yield* limitsOver(overrides)
  const rows = yield* database.use("read limits", (db) =>
    db.all("SELECT *, max_stored_bytes AS maxStoredBytes FROM tenant_limits")
  )
  const changes = new Map<TenantId, TenantOverride>()
  for (const { tenant_id, ...limits } of yield* decodeRows(rows)) changes.set(tenant_id, patched({}, limits))

  return TenantRegistry.of({
    limits: (tenant) => Effect.sync(() => limitsOf(tenant, changes.get(tenant))),
    // In one turn of the connection, so neither another change nor an interruption comes between file and memory.
    update: Effect.fn("TenantRegistry.update")((tenant, patch, pausing) =>
      database
        .use("change limits", (db) => {
          const changed = patched(changes.get(tenant) ?? {}, patch)
          transact(db, () => {
            save(db, tenant, changed)
            if (pausing !== undefined) setPaused(tenant, pausing.paused)(db)
          })
          if (Object.keys(changed).length === 0) changes.delete(tenant)
          else changes.set(tenant, changed)
          return limitsOf(tenant, changed)
        })
        .pipe(
          Effect.tap(database.flush),
          Effect.mapError((cause) => new StoreUnavailable({ operation: "change a tenant's limits", cause })),
          // Uninterruptible, so that a committed change is also flushed.
          Effect.uninterruptible
        )
    )
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
