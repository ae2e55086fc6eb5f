/** What the document store asks of the database. Every question is answered from an index, whatever the backlog's depth. */
import type { Document } from "../../domain/Document.ts"
import { type BlobHash, type DocumentId, TenantId } from "../../domain/Ids.ts"
import type { PageResult } from "../../domain/Page.ts"
import type { KeptAnswer, ListOptions, PageFaults, PagesOptions, QueueStats } from "../../services/DocumentStore.ts"
import { number, text, toDocument, toPage } from "./rows.ts"
import type { Row, Statements } from "./SqliteDatabase.ts"

const document = `
  SELECT d.*, x.metadata, x.outline FROM documents d LEFT JOIN document_details x ON x.document = d.seq
`

export const findBySeq = (db: Statements, seq: number): Document => {
  const row = db.get(`${document} WHERE d.seq = ?`, seq)
  if (row === undefined) throw new Error("a document vanished inside its own transaction")
  return toDocument(row)
}

export const findById = (db: Statements, tenant: TenantId, id: string): Document | undefined => {
  const row = db.get(`${document} WHERE d.id = ? AND d.tenant_id = ?`, id, tenant)
  return row === undefined ? undefined : toDocument(row)
}

/** Sorts after every document id. */
const newest = "~"

export const list = (db: Statements, tenant: TenantId, options: ListOptions): Array<Document> => {
  const before = options.before ?? newest
  const rows =
    options.status === undefined
      ? db.all(
          `${document} WHERE d.tenant_id = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?`,
          tenant,
          before,
          options.limit
        )
      : db.all(
          `${document} WHERE d.tenant_id = ? AND d.status = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?`,
          tenant,
          options.status,
          before,
          options.limit
        )
  return rows.map((row) => toDocument(row))
}

const pagesWith = (columns: string) => `
  SELECT ${columns} FROM pages
  WHERE document = (SELECT seq FROM documents WHERE id = ? AND tenant_id = ?) AND number >= ?
  ORDER BY number LIMIT ?
`
const summaryColumns = "number, status, width, height, rotation, elapsed_millis, error"
/** Texts lie on pages of the database that are not even read then. */
const pageSummaries = pagesWith(`${summaryColumns}, '' AS text`)
const pagesInBrief = pagesWith(`${summaryColumns}, text`)
const pagesInDetail = pagesWith(`${summaryColumns}, text, lines`)

export const pages = (
  db: Statements,
  tenant: TenantId,
  id: DocumentId,
  { detail, from, limit, summary = false }: PagesOptions
): Array<PageResult> =>
  db.all(detail ? pagesInDetail : summary ? pageSummaries : pagesInBrief, id, tenant, from, limit).map(toPage)

export const donePages = (db: Statements, seq: number): ReadonlySet<number> =>
  new Set(db.all("SELECT number FROM pages WHERE document = ?", seq).map((row) => number(row, "number")))

export const refersTo = (db: Statements, hash: BlobHash, tenant: TenantId | undefined): boolean =>
  tenant === undefined
    ? db.get("SELECT 1 FROM documents WHERE blob = ? LIMIT 1", hash) !== undefined
    : db.get("SELECT 1 FROM documents WHERE blob = ? AND tenant_id = ? LIMIT 1", hash, tenant) !== undefined

export const tenantIds = (rows: ReadonlyArray<Row>): Array<TenantId> =>
  Array.from(new Set(rows.map((row) => text(row, "tenant_id"))), (id) => TenantId.make(id))

export const tenantsWithQueued = (db: Statements): Array<TenantId> =>
  tenantIds(db.all("SELECT tenant_id FROM tenant_stats WHERE queued > 0 AND paused = 0 AND tenant_id <> '*'"))

export const hasQueued = (db: Statements, tenant: TenantId): boolean =>
  db.get("SELECT 1 FROM tenant_stats WHERE tenant_id = ? AND queued > 0 AND paused = 0", tenant) !== undefined

export const isPaused = (db: Statements, tenant: TenantId): boolean =>
  db.get("SELECT 1 FROM tenant_stats WHERE tenant_id = ? AND paused = 1", tenant) !== undefined

export const faults = (db: Statements, seq: number): ReadonlyMap<number, PageFaults> =>
  new Map(
    db
      .all(
        `SELECT page, failures, deaths FROM page_faults f WHERE document = ?
        AND NOT EXISTS (SELECT 1 FROM pages p WHERE p.document = f.document AND p.number = f.page)`,
        seq
      )
      .map((row) => [number(row, "page"), { failures: number(row, "failures"), deaths: number(row, "deaths") }])
  )

export const answer = (db: Statements, tenant: TenantId, key: string): KeptAnswer | undefined => {
  const row = db.get("SELECT * FROM idempotency_keys WHERE tenant_id = ? AND key = ?", tenant, key)
  return row === undefined
    ? undefined
    : {
        fingerprint: text(row, "fingerprint"),
        bytes: number(row, "bytes"),
        body: text(row, "body"),
        keptAt: number(row, "kept_at")
      }
}

/** Documents that wait: of the tenant, and of all. */
export const waiting = (db: Statements, tenant: TenantId): { readonly own: number; readonly all: number } => {
  const row = db.get(
    `SELECT waiting AS every, coalesce((SELECT waiting FROM tenant_stats WHERE tenant_id = ?), 0) AS own
      FROM tenant_stats WHERE tenant_id = '*'`,
    tenant
  )
  return row === undefined ? { own: 0, all: 0 } : { own: number(row, "own"), all: number(row, "every") }
}

const noStats: QueueStats = {
  waiting: 0,
  running: 0,
  maxWaiting: 0,
  maxRunning: 0,
  processed: 0,
  failed: 0,
  storedBytes: 0
}

export const stats = (db: Statements, tenant: TenantId | "*"): QueueStats => {
  const row = db.get(
    "SELECT waiting, running, max_waiting, max_running, processed, failed, stored FROM tenant_stats WHERE tenant_id = ?",
    tenant
  )
  return row === undefined
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
}
