/** The document store's queries of its queues. Indexes are named: another plan would be correct, and slow. */
import { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { type Ahead, queueScanLimit, type UnderWay } from "../../../services/store/QueueFigures.ts"
import { number, optional, text } from "../../rows/documentRows.ts"
import type { Statements } from "../database/SqliteDatabase.ts"

const place = "SELECT seq, priority FROM documents WHERE id = ? AND tenant_id = ? AND status = 'queued'"

/** Two counts, because one over both conditions would read the whole queue. */
const counted = (condition: string) => `
  SELECT count(*) AS documents FROM (
    SELECT 1 FROM documents INDEXED BY documents_queued
    WHERE tenant_id = ? AND status = 'queued' AND ${condition} LIMIT ${queueScanLimit}
  )
`
const withMorePriority = counted("priority > ?")
const withTheSamePriority = counted("priority = ? AND seq < ?")

const opened = (condition: string) => `
  SELECT count(*) AS documents, coalesce(sum(remaining), 0) AS pages FROM (
    SELECT max(0, page_count - pages_done) AS remaining FROM documents INDEXED BY documents_resumed
    WHERE tenant_id = ? AND status = 'queued' AND page_count IS NOT NULL AND ${condition} LIMIT ${queueScanLimit}
  )
`
const openedWithMorePriority = opened("priority > ?")
const openedWithTheSamePriority = opened("priority = ? AND seq < ?")

export const ahead = (db: Statements, tenant: TenantId, id: DocumentId): Ahead => {
  const own = db.get(place, id, tenant)
  if (own === undefined) return { documents: 0, pages: 0, unopened: 0 }
  const [seq, priority] = [number(own, "seq"), number(own, "priority")]
  const documents = [db.get(withMorePriority, tenant, priority), db.get(withTheSamePriority, tenant, priority, seq)]
    .filter((row) => row !== undefined)
    .reduce((sum, row) => sum + number(row, "documents"), 0)
  const known = [
    db.get(openedWithMorePriority, tenant, priority),
    db.get(openedWithTheSamePriority, tenant, priority, seq)
  ].filter((row) => row !== undefined)
  const resumed = known.reduce((sum, row) => sum + number(row, "documents"), 0)
  const within = Math.min(documents, queueScanLimit)
  return {
    documents: within,
    pages: known.reduce((sum, row) => sum + number(row, "pages"), 0),
    unopened: Math.max(0, within - resumed)
  }
}

export const backlogs = (db: Statements): Array<{ readonly tenant: TenantId; readonly queued: number }> =>
  db
    .all("SELECT tenant_id, queued FROM tenant_stats WHERE queued > 0 AND paused = 0 AND tenant_id <> '*'")
    .map((row) => ({ tenant: TenantId.make(text(row, "tenant_id")), queued: number(row, "queued") }))

const inState = (index: string, status: string, condition = "") => `
  SELECT tenant_id, id, page_count - pages_done AS remaining FROM documents INDEXED BY ${index}
  WHERE status = '${status}' ${condition} LIMIT ${queueScanLimit}
`
const running = inState("documents_running", "running")
const resumed = inState("documents_resumed", "queued", "AND page_count IS NOT NULL")

export const underWay = (db: Statements): Array<UnderWay> =>
  [running, resumed].flatMap((statement) =>
    db.all(statement).map((row) => {
      const remaining = row["remaining"] === null ? undefined : number(row, "remaining")
      return {
        tenant: TenantId.make(text(row, "tenant_id")),
        id: DocumentId.make(text(row, "id")),
        running: statement === running,
        pages: remaining === undefined ? undefined : Math.max(0, remaining)
      }
    })
  )

const first = `
  SELECT max(accepted_at, coalesce(not_before, 0)) AS since FROM documents INDEXED BY documents_queued
  WHERE tenant_id = ? AND status = 'queued' AND priority = ? ORDER BY seq LIMIT 1
`

const neverRan =
  "SELECT min(queued_at) AS since FROM documents INDEXED BY documents_queued_at WHERE queued_at IS NOT NULL"

export const oldestQueued = (db: Statements, tenant?: TenantId): number | undefined => {
  if (tenant === undefined) {
    const row = db.get(neverRan)
    return row === undefined ? undefined : optional(row, "since", number)
  }
  const moments = Array.from({ length: 10 }, (_, priority) => db.get(first, tenant, priority))
    .filter((row) => row !== undefined)
    .map((row) => number(row, "since"))
  return moments.length === 0 ? undefined : Math.min(...moments)
}
