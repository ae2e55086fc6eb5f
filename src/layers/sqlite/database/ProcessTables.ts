/** Steps of `Migrations.ts`: what processes over one database have to know of each other. */

const nextLimitVersion = (event: string, row: string) => `
  CREATE TRIGGER tenant_limits_versioned_on_${event} AFTER ${event} ON tenant_limits BEGIN
    INSERT INTO tenant_limit_versions (tenant_id, version)
      VALUES (${row}.tenant_id, (SELECT coalesce(max(version), 0) + 1 FROM tenant_limit_versions))
      ON CONFLICT DO UPDATE SET version = excluded.version;
  END`

/**
 * The version of each tenant's last change of limits, which stays when the limits are removed. Versions only grow, so a process
 * finds what others changed above the last version that it knows. Triggers give them, so that no way of changing limits can
 * forget to.
 */
export const limitVersions = [
  `CREATE TABLE tenant_limit_versions (
    tenant_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL UNIQUE
  ) STRICT, WITHOUT ROWID`,
  `INSERT INTO tenant_limit_versions SELECT tenant_id, row_number() OVER () FROM tenant_limits`,
  nextLimitVersion("insert", "NEW"),
  nextLimitVersion("update", "NEW"),
  nextLimitVersion("delete", "OLD")
]

/**
 * What is under way, each until a moment: uploads whose bytes are about to get their document, removals of blobs, and requests
 * with an idempotency key; and, in the row of all tenants, the number of the last change. Ids are never used twice, so one that is held too long names nothing that was made later.
 */
export const underWay = [
  `ALTER TABLE tenant_stats ADD COLUMN last_change INTEGER NOT NULL DEFAULT 0`,
  `CREATE TABLE blob_references (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX blob_references_by_hash ON blob_references (hash)`,
  `CREATE TABLE blob_removals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX blob_removals_by_hash ON blob_removals (hash)`,
  `CREATE TABLE idempotency_leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id TEXT NOT NULL,
    key TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (tenant_id, key)
  ) STRICT`
]

/**
 * The runner that delivers a callback, until when it may, and how often the callback was claimed. There are few rows with a
 * lease, so counting those of a tenant costs little.
 */
export const callbackLeases = [
  `ALTER TABLE documents ADD COLUMN callback_runner TEXT`,
  `ALTER TABLE documents ADD COLUMN callback_leased_until INTEGER`,
  `ALTER TABLE documents ADD COLUMN callback_claims INTEGER NOT NULL DEFAULT 0`,
  `CREATE INDEX documents_callback_leased ON documents (tenant_id, callback_leased_until)
    WHERE callback_leased_until IS NOT NULL`
]
