/** `UsageStore` in SQLite. */
import { Effect, Exit } from "effect"
import type { UsageRow } from "../../../domain/downstream/Usage.ts"
import { UsageStore } from "../../../services/downstreams/UsageStore.ts"
import type { Operation, Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import { toUsageSum, usageKeys } from "../../rows/usageRows.ts"

const addSql = `
  INSERT INTO usage (tenant_id, day, resource, calls, downstream_millis, tokens, cost, pages, worker_millis)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant_id, day, resource) DO UPDATE SET
    calls = calls + excluded.calls,
    downstream_millis = downstream_millis + excluded.downstream_millis,
    tokens = tokens + excluded.tokens,
    cost = cost + excluded.cost,
    pages = pages + excluded.pages,
    worker_millis = worker_millis + excluded.worker_millis`

const sumSql = (key: string) => `
  SELECT ${key} AS key, sum(calls) AS calls, sum(downstream_millis) AS downstream_millis, sum(tokens) AS tokens,
    sum(cost) AS cost, sum(pages) AS pages, sum(worker_millis) AS worker_millis
  FROM usage
  WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR tenant_id = ?3) AND (?4 IS NULL OR resource = ?4) AND (?5 IS NULL OR ${key} > ?5)
  GROUP BY ${key} ORDER BY ${key} LIMIT ?6`

const add =
  (rows: ReadonlyArray<UsageRow>): Operation<void, never> =>
  (db) => {
    for (const { calls, cost, day, downstreamMillis, pages, resource, tenantId, tokens, workerMillis } of rows) {
      db.run(addSql, tenantId, day, resource, calls, downstreamMillis, tokens, cost, pages, workerMillis)
    }
    return Exit.void
  }

/** Deferred: a crash of the machine takes the last seconds of usage, as a crash of the process takes what was not written yet. */
export const usageStore = (read: Read, write: Write) =>
  UsageStore.of({
    add: Effect.fn("UsageStore.add")((rows) =>
      write("record usage", add(rows), "deferred", Math.max(1, Math.ceil(rows.length / 16)))
    ),
    sum: Effect.fn("UsageStore.sum")(({ after, by, from, limit, resource, tenant, to }) =>
      read("sum usage", (db) =>
        db
          .all(sumSql(usageKeys[by]), from, to, tenant ?? null, resource ?? null, after ?? null, limit)
          .map((row) => toUsageSum(row))
      )
    ),
    forget: Effect.fn("UsageStore.forget")((before) =>
      write("forget usage", (db) => {
        db.run("DELETE FROM usage WHERE day < ?", before)
        return Exit.void
      })
    )
  })
