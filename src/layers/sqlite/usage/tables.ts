/** What tenants used, by day and resource. It outlives the documents. */
export const usage = [
  `CREATE TABLE usage (
    tenant_id TEXT NOT NULL,
    day TEXT NOT NULL,
    resource TEXT NOT NULL,
    calls INTEGER NOT NULL,
    downstream_millis REAL NOT NULL,
    tokens REAL NOT NULL,
    cost REAL NOT NULL,
    pages INTEGER NOT NULL,
    worker_millis REAL NOT NULL,
    PRIMARY KEY (tenant_id, day, resource)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX usage_by_day ON usage (day)`
]
