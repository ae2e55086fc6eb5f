/** What tenants used, by day and resource. It outlives the documents. */
export const usage = [
  `CREATE TABLE usage (
    tenant_id text COLLATE "C" NOT NULL,
    day text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    calls bigint NOT NULL,
    downstream_millis double precision NOT NULL,
    tokens double precision NOT NULL,
    cost double precision NOT NULL,
    pages bigint NOT NULL,
    worker_millis double precision NOT NULL,
    PRIMARY KEY (tenant_id, day, resource)
  )`,
  `CREATE INDEX usage_by_day ON usage (day)`
]
