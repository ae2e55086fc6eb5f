/** Queries and rows of API keys. */
import { DateTime } from "effect"
import type { ApiKey, ApiKeyId } from "../../../domain/tenant/ApiKey.ts"
import { TenantId } from "../../../domain/Ids.ts"
import { type KnownTenant, mostKeys } from "../../../services/apiKeys/ApiKeys.ts"
import type { Row, Statements } from "../database/SqliteDatabase.ts"
import { number, text } from "../../rows/documentRows.ts"
import type { HeldKey } from "../../keys/KeyCache.ts"

const blob = (row: Row, column: string): Uint8Array => {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} holds no bytes`)
  return value
}

export const findKey = (db: Statements, id: ApiKeyId): HeldKey | undefined => {
  const row = db.get("SELECT tenant_id, digest FROM api_keys WHERE id = ?", id)
  return row && { id, tenantId: TenantId.make(text(row, "tenant_id")), digest: blob(row, "digest") }
}

const insertKey = `
  INSERT INTO api_keys (id, tenant_id, name, digest, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM api_keys WHERE tenant_id = ?2) < ?6
`

/** One statement, so that keys made at the same moment by several processes do not exceed the limit. */
export const insert = (db: Statements, { createdAt, id, name, tenantId }: ApiKey, digest: Uint8Array): boolean =>
  db.run(insertKey, id, tenantId, name, digest, DateTime.toEpochMillis(createdAt), mostKeys) > 0

export const keysOf = (db: Statements, tenant: TenantId): Array<Row> =>
  db.all("SELECT * FROM api_keys WHERE tenant_id = ? ORDER BY created_at, rowid", tenant)

/** Each table is read only as far as the answer can reach. `*` stands for all tenants. */
const firstTenants = (table: string) =>
  `SELECT * FROM (
    SELECT DISTINCT tenant_id FROM ${table} WHERE tenant_id > ?1 AND tenant_id <> '*' ORDER BY tenant_id LIMIT ?2
  )`

const knownTenants = `
  SELECT t.tenant_id, (SELECT count(*) FROM api_keys k WHERE k.tenant_id = t.tenant_id) AS keys
  FROM (${["tenant_stats", "tenant_limits", "api_keys"].map(firstTenants).join(" UNION ")}) t
  ORDER BY t.tenant_id LIMIT ?2
`

export const tenants = (db: Statements, after: string, limit: number): Array<KnownTenant> =>
  db
    .all(knownTenants, after, limit)
    .map((row) => ({ tenantId: TenantId.make(text(row, "tenant_id")), keys: number(row, "keys") }))
