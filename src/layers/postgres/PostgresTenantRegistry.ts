/**
 * `TenantRegistry` that keeps changes in the database of the documents. All of them are held in memory, too. Each change has a
 * version, which grows, so a refresh reads only the changes of other processes that are not known here yet: changes are made one
 * at a time, so that no version is committed after a higher one.
 */
import { Effect, Layer, Schema } from "effect"
import { TenantId } from "../../domain/Ids.ts"
import {
  type LimitName,
  limitNames,
  patched,
  TenantLimitsPatch,
  type TenantOverride
} from "../../domain/tenant/TenantLimits.ts"
import type { EngineConfig } from "../../services/config/EngineConfig.ts"
import { KnownLimits } from "../../services/KnownLimits.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { limitsOver, overridesFromEnv, TenantRegistry, type TenantOverrides } from "../../services/TenantRegistry.ts"
import { bool, float8, int4, int8, text } from "./database/Parameters.ts"
import { PostgresDatabase, type Statements } from "./database/PostgresDatabase.ts"
import { setPausedSql } from "./documents/PostgresDocumentQueue.ts"
import { columnOf, limitColumns, namedLimits } from "../rows/limitColumns.ts"
import { number, placeholders } from "./documents/rows.ts"

const Rows = Schema.Array(Schema.Struct({ tenant_id: TenantId, version: Schema.Int, ...TenantLimitsPatch.fields }))
const decodeRows = Schema.decodeUnknownEffect(Rows)

const columns = `tenant_id, version, ${namedLimits}`
const changedSince = `SELECT ${columns} FROM tenant_limits WHERE version > $1`
const ofTenant = `SELECT ${columns} FROM tenant_limits WHERE tenant_id = $1`
const oneAtATime = "SELECT 1 FROM pg_advisory_xact_lock(5718, hashtext('limits ' || current_schema()))"
const saveSql = `
  INSERT INTO tenant_limits (tenant_id, version, ${limitColumns})
  VALUES ($1, (SELECT coalesce(max(version), 0) + 1 FROM tenant_limits), ${placeholders(2, limitNames.length)})
  ON CONFLICT (tenant_id) DO UPDATE
    SET version = excluded.version, ${limitNames.map((limit) => `${columnOf(limit)} = excluded.${columnOf(limit)}`).join(", ")}
  RETURNING version`

/** The type of each limit's column. */
const parametersOf = (limits: TenantOverride) =>
  ({
    documents: int4(limits.documents),
    weight: float8(limits.weight),
    backlog: int8(limits.backlog),
    pages: int4(limits.pages),
    rate: float8(limits.rate),
    burst: int8(limits.burst),
    maxStoredBytes: int8(limits.maxStoredBytes),
    pipeline: text(limits.pipeline)
  }) satisfies Record<LimitName, unknown>

const save = (db: Statements, tenant: TenantId, changed: TenantOverride) => {
  const parameters = parametersOf(changed)
  return Effect.map(db.get(saveSql, tenant, ...limitNames.map((limit) => parameters[limit])), (row = {}) =>
    number(row, "version")
  )
}

const decoded = (rows: ReadonlyArray<unknown>) =>
  Effect.mapError(decodeRows(rows), (cause) => new StoreUnavailable({ operation: "read the tenants' limits", cause }))

const make = Effect.fnUntraced(function* (overrides: TenantOverrides) {
  const { run, transact } = yield* PostgresDatabase
  const limitsOf = yield* limitsOver(overrides)
  const known = new KnownLimits()

  const refresh = Effect.gen(function* () {
    const rows = yield* run("read the tenants' limits", (db) => db.all(changedSince, int8(known.refreshedTo)))
    if (rows.length === 0) return []
    const changes = yield* decoded(rows)
    return known.take(
      changes.map(
        ({ tenant_id, version, ...limits }) => [tenant_id, { override: patched({}, limits), version }] as const
      )
    )
  })
  yield* refresh

  /** What is stored: another process may have changed it. */
  const stored = Effect.fnUntraced(function* (db: Statements, tenant: TenantId) {
    const [row] = yield* Effect.flatMap(db.all(ofTenant, tenant), decoded)
    if (row === undefined) return {}
    const { tenant_id: _, version: __, ...limits } = row
    return patched({}, limits)
  })

  return TenantRegistry.of({
    limits: (tenant) => Effect.sync(() => limitsOf(tenant, known.of(tenant))),
    update: Effect.fn("TenantRegistry.update")(function* (tenant, patch, pausing) {
      const { changed, version } = yield* transact("change a tenant's limits", (db) =>
        Effect.gen(function* () {
          yield* db.all(oneAtATime)
          const changed = patched(yield* stored(db, tenant), patch)
          if (pausing !== undefined) yield* db.all(setPausedSql, tenant, bool(pausing.paused))
          return { changed, version: yield* save(db, tenant, changed) }
        })
      )
      known.set(tenant, changed, version)
      return limitsOf(tenant, changed)
    }, Effect.uninterruptible),
    refresh
  })
})

/** On a database whose tables are up to date. */
export const layerNoDeps = (
  overrides: TenantOverrides = {}
): Layer.Layer<TenantRegistry, StoreUnavailable, EngineConfig | PostgresDatabase> =>
  Layer.effect(TenantRegistry, make(overrides))

/** The same with the overrides of `TENANT_LIMITS`. */
export const layerNoDepsFromEnv = Layer.unwrap(Effect.map(overridesFromEnv, (overrides) => layerNoDeps(overrides)))
