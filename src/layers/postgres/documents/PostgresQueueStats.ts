/** `QueueStats` in Postgres. */
import { Effect, Option } from "effect"
import { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { type Ahead, type QueueCounters, queueScanLimit } from "../../../services/store/QueueFigures.ts"
import { QueueStats } from "../../../services/store/QueueStats.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import type { PostgresDatabase, Row } from "../database/PostgresDatabase.ts"
import { shared, sharedBy } from "../database/SharedQuery.ts"
import { runningBytes } from "../schema/counters.ts"
import { tenantsQueued } from "./PostgresDocumentQueue.ts"
import { number, optional, text } from "./rows.ts"

const ofTenant = `
  SELECT waiting, running, max_waiting, max_running, processed, failed,
    stored + ${runningBytes("d.tenant_id = $1")} AS stored
  FROM tenant_stats WHERE tenant_id = $1`

const sums = ["waiting", "running", "processed", "failed", "stored"].map((name) => `sum(${name})::bigint AS ${name}`)
const ofAll = `
  SELECT s.waiting, s.running, s.processed, s.failed, s.stored + ${runningBytes("true")} AS stored,
    greatest(p.waiting, s.waiting) AS max_waiting, greatest(p.running, s.running) AS max_running
  FROM (SELECT ${sums.join(", ")} FROM counter_shards) s CROSS JOIN counter_peaks p`

const noStats: QueueCounters = {
  waiting: 0,
  running: 0,
  maxWaiting: 0,
  maxRunning: 0,
  processed: 0,
  failed: 0,
  storedBytes: 0
}

const toCounters = (row: Row | undefined): QueueCounters =>
  row === undefined
    ? noStats
    : {
        waiting: number(row, "waiting"),
        running: number(row, "running"),
        maxWaiting: number(row, "max_waiting"),
        maxRunning: number(row, "max_running"),
        processed: number(row, "processed"),
        failed: number(row, "failed"),
        storedBytes: number(row, "stored")
      }

/** Two parts, because one over both conditions would read the whole queue. */
const before = (columns: string, condition: string) => `
  (SELECT ${columns} FROM documents d, own WHERE d.tenant_id = $2 AND d.status = 'queued' AND ${condition}
    AND d.priority > own.priority LIMIT ${queueScanLimit})
  UNION ALL
  (SELECT ${columns} FROM documents d, own WHERE d.tenant_id = $2 AND d.status = 'queued' AND ${condition}
    AND d.priority = own.priority AND d.seq < own.seq LIMIT ${queueScanLimit})`

const aheadSql = `
  WITH own AS (SELECT seq, priority FROM documents WHERE id = $1 AND tenant_id = $2 AND status = 'queued'),
  opened AS (${before("greatest(0, d.page_count - d.pages_done) AS pages", "d.page_count IS NOT NULL")})
  SELECT (SELECT count(*) FROM (${before("1", "true")}) found) AS documents,
    (SELECT count(*) FROM opened) AS opened, (SELECT coalesce(sum(pages), 0)::bigint FROM opened) AS pages`

const toAhead = (row: Row = {}): Ahead => {
  const documents = Math.min(number(row, "documents"), queueScanLimit)
  return { documents, pages: number(row, "pages"), unopened: Math.max(0, documents - number(row, "opened")) }
}

const inState = (condition: string, running: boolean) => `
  (SELECT tenant_id, id, page_count - pages_done AS remaining, ${running} AS running FROM documents
    WHERE ${condition} LIMIT ${queueScanLimit})`
const underWaySql = `${inState("status = 'running'", true)} UNION ALL ${inState("status = 'queued' AND page_count IS NOT NULL", false)}`

const oldestOfTenant = `
  SELECT min(first.since) AS since FROM generate_series(0, 9) AS priority CROSS JOIN LATERAL (
    SELECT greatest(d.accepted_at, coalesce(d.not_before, 0)) AS since FROM documents d
    WHERE d.tenant_id = $1 AND d.status = 'queued' AND d.priority = priority.priority ORDER BY d.seq LIMIT 1
  ) first`
const oldestOfAll = "SELECT min(queued_at) AS since FROM documents WHERE queued_at IS NOT NULL"

export const queueStats = ({ run }: PostgresDatabase["Service"]) => {
  // Every acceptance asks for both.
  const countAll = shared(run("count documents", (db) => db.get(ofAll)))
  const countTenant = sharedBy((tenant: TenantId) => run("count documents", (db) => db.get(ofTenant, tenant)))
  return QueueStats.of({
    stats: TraceContext.traced("QueueStats.stats", (tenant?: TenantId) =>
      Effect.map(tenant === undefined ? countAll : countTenant(tenant), toCounters)
    ),
    ahead: Effect.fn("QueueStats.ahead")((tenant, id) =>
      Effect.map(
        run("count what is ahead of a document", (db) => db.get(aheadSql, id, tenant)),
        toAhead
      )
    ),
    backlogs: Effect.map(
      run("find backlogs", (db) => db.all(tenantsQueued)),
      (rows) => rows.map((row) => ({ tenant: TenantId.make(text(row, "tenant_id")), queued: number(row, "queued") }))
    ),
    underWay: Effect.map(
      run("find documents under way", (db) => db.all(underWaySql)),
      (rows) =>
        rows.map((row) => {
          const remaining = optional(row, "remaining", number)
          return {
            tenant: TenantId.make(text(row, "tenant_id")),
            id: DocumentId.make(text(row, "id")),
            running: row["running"] === true,
            pages: remaining === undefined ? undefined : Math.max(0, remaining)
          }
        })
    ),
    oldestQueued: Effect.fn("QueueStats.oldestQueued")((tenant) =>
      Effect.map(
        run("find the oldest queued document", (db) =>
          tenant === undefined ? db.get(oldestOfAll) : db.get(oldestOfTenant, tenant)
        ),
        (row) => Option.fromUndefinedOr(row === undefined ? undefined : optional(row, "since", number))
      )
    )
  })
}
