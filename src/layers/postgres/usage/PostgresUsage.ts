/** `UsageStore` in Postgres. */
import { Effect } from "effect"
import { UsageStore } from "../../../services/downstreams/UsageStore.ts"
import { float8s, int4, int8s, text as textOf, texts } from "../database/Parameters.ts"
import type { PostgresDatabase } from "../database/PostgresDatabase.ts"
import { toUsageSum, usageKeys } from "../../rows/usageRows.ts"

/** In the order of their keys, so that two processes that add to the same rows do not wait for each other in a circle. */
const addSql = `
  INSERT INTO usage AS u (tenant_id, day, resource, calls, downstream_millis, tokens, cost, pages, worker_millis)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::float8[], $6::float8[], $7::float8[],
    $8::bigint[], $9::float8[]) AS added (tenant_id, day, resource) ORDER BY tenant_id, day, resource
  ON CONFLICT (tenant_id, day, resource) DO UPDATE SET
    calls = u.calls + excluded.calls,
    downstream_millis = u.downstream_millis + excluded.downstream_millis,
    tokens = u.tokens + excluded.tokens,
    cost = u.cost + excluded.cost,
    pages = u.pages + excluded.pages,
    worker_millis = u.worker_millis + excluded.worker_millis`

const sumSql = (key: string) => `
  SELECT ${key} AS key, sum(calls)::float8 AS calls, sum(downstream_millis) AS downstream_millis, sum(tokens) AS tokens,
    sum(cost) AS cost, sum(pages)::float8 AS pages, sum(worker_millis) AS worker_millis
  FROM usage
  WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR tenant_id = $3) AND ($4::text IS NULL OR resource = $4)
    AND ($5::text IS NULL OR ${key} > $5)
  GROUP BY ${key} ORDER BY ${key} LIMIT $6`

export const usageStore = ({ run }: PostgresDatabase["Service"]) =>
  UsageStore.of({
    add: Effect.fn("UsageStore.add")((rows) =>
      Effect.asVoid(
        run("record usage", (db) =>
          db.all(
            addSql,
            texts(rows.map(({ tenantId }) => tenantId)),
            texts(rows.map(({ day }) => day)),
            texts(rows.map(({ resource }) => resource)),
            int8s(rows.map(({ calls }) => calls)),
            float8s(rows.map(({ downstreamMillis }) => downstreamMillis)),
            float8s(rows.map(({ tokens }) => tokens)),
            float8s(rows.map(({ cost }) => cost)),
            int8s(rows.map(({ pages }) => pages)),
            float8s(rows.map(({ workerMillis }) => workerMillis))
          )
        )
      )
    ),
    sum: Effect.fn("UsageStore.sum")(({ after, by, from, limit, resource, tenant, to }) =>
      Effect.map(
        run("sum usage", (db) =>
          db.all(
            sumSql(usageKeys[by]),
            textOf(from),
            textOf(to),
            textOf(tenant),
            textOf(resource),
            textOf(after),
            int4(limit)
          )
        ),
        (rows) => rows.map((row) => toUsageSum(row))
      )
    ),
    forget: Effect.fn("UsageStore.forget")((before) =>
      Effect.asVoid(run("forget usage", (db) => db.all("DELETE FROM usage WHERE day < $1", textOf(before))))
    )
  })
