/** The document store's queries of its records. Every query is answered from an index, whatever the backlog's depth. */
import type { Document } from "../../../domain/document/Document.ts"
import { type DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { PageFaults } from "../../../services/store/Claim.ts"
import type { ListOptions, PagesOptions } from "../../../services/store/Documents.ts"
import type { QueueCounters } from "../../../services/store/QueueFigures.ts"
import { largestMetadata, largestOutline, upTo } from "../../../domain/document/Portions.ts"
import { number, rowSize, text, toDocument, toPage } from "../../rows/documentRows.ts"
import type { Row, Statements } from "../database/SqliteDatabase.ts"

/** The length of a value is known without reading it, and one that is too large is not read. */
const unless = (column: string, most: number) =>
  `iif(octet_length(x.${column}) > ${most}, NULL, x.${column}) AS ${column},
  octet_length(x.${column}) > ${most} AS ${column}_omitted`

/** To be selected of `document_details x`. */
export const metadataColumns = unless("metadata", largestMetadata)

const documentWith = (columns: string) => `
  SELECT d.*, ${columns}, w.warnings FROM documents d LEFT JOIN document_details x ON x.document = d.seq
  LEFT JOIN warnings w ON w.document = d.seq AND w.page = 0
`
const document = documentWith(metadataColumns)
const documentAndOutline = documentWith(`${metadataColumns}, ${unless("outline", largestOutline)}`)

export const findBySeq = (db: Statements, seq: number): Document => {
  const row = db.get(`${document} WHERE d.seq = ?`, seq)
  if (row === undefined) throw new Error("a document vanished inside its own transaction")
  return toDocument(row)
}

export const findById = (
  db: Statements,
  tenant: TenantId,
  id: string,
  detail: "outline" | undefined
): Document | undefined => {
  const columns = detail === "outline" ? documentAndOutline : document
  const row = db.get(`${columns} WHERE d.id = ? AND d.tenant_id = ?`, id, tenant)
  return row === undefined ? undefined : toDocument(row)
}

/** Sorts after every document id. */
const newest = "~"

/** The rows of several readings, each newest first, as one: newest first, row by row. */
function* newestOf(readings: ReadonlyArray<Iterable<Row>>): Iterable<Row> {
  const open = readings.map((rows) => rows[Symbol.iterator]()).map((rows) => ({ rows, next: rows.next() }))
  try {
    for (;;) {
      const newest = open
        .filter(({ next }) => next.done !== true)
        .reduce<(typeof open)[number] | undefined>(
          (best, each) => (best === undefined || idOf(each.next.value) > idOf(best.next.value) ? each : best),
          undefined
        )
      if (newest === undefined) return
      const row: Row = newest.next.value
      newest.next = newest.rows.next()
      yield row
    }
  } finally {
    for (const { rows } of open) rows.return?.()
  }
}

const idOf = (row: Row): string => text(row, "id")

function* first<A>(items: Iterable<A>, count: number): Iterable<A> {
  let taken = 0
  for (const item of items) {
    if (taken++ >= count) return
    yield item
  }
}

export const list = (db: Statements, tenant: TenantId, options: ListOptions): Array<Document> => {
  const { before = newest, limit, status } = options
  const newestFirst = "d.id < ? ORDER BY d.id DESC LIMIT ?"
  const rows =
    status === undefined
      ? db.each(`${document} WHERE d.tenant_id = ? AND ${newestFirst}`, tenant, before, limit)
      : first(
          newestOf(
            // One ordered index serves each state, so no more rows are read than are answered with. Each state has a statement of
            // its own, since they are open at the same time.
            [...new Set(status)].map((each) =>
              db.each(
                `${document} WHERE d.tenant_id = ? AND d.status = '${each}' AND ${newestFirst}`,
                tenant,
                before,
                limit
              )
            )
          ),
          limit
        )
  return upTo(rows, options.bytes ?? Number.POSITIVE_INFINITY, rowSize).map((row) => toDocument(row))
}

const pagesWith = (columns: string) => `
  SELECT ${columns}, warnings, source FROM pages p LEFT JOIN warnings w ON w.document = p.document AND w.page = p.number
  LEFT JOIN page_sources s ON s.document = p.document AND s.page = p.number
  WHERE p.document = (SELECT seq FROM documents WHERE id = ? AND tenant_id = ?) AND number >= ?
  ORDER BY number LIMIT ?
`
const summaryColumns = "number, status, width, height, rotation, elapsed_millis, error"
/** The texts lie on pages of the database that this query does not read. */
const pageSummaries = pagesWith(`${summaryColumns}, '' AS text`)
const pagesInBrief = pagesWith(`${summaryColumns}, text`)
const pagesInDetail = pagesWith(`${summaryColumns}, text, lines`)
const pagesWithLayout = pagesWith(`${summaryColumns}, text, layout`)
const wholePages = pagesWith(`${summaryColumns}, text, lines, layout`)

const pagesAsFor = ({ detail, layout = false, summary = false }: PagesOptions): string =>
  layout ? (detail ? wholePages : pagesWithLayout) : detail ? pagesInDetail : summary ? pageSummaries : pagesInBrief

export const pages = (db: Statements, tenant: TenantId, id: DocumentId, options: PagesOptions): Array<PageResult> => {
  const { bytes = Number.POSITIVE_INFINITY, from, limit } = options
  return upTo(db.each(pagesAsFor(options), id, tenant, from, limit), bytes, rowSize).map(toPage)
}

export const donePages = (db: Statements, seq: number): ReadonlySet<number> =>
  new Set(db.all("SELECT number FROM pages WHERE document = ?", seq).map((row) => number(row, "number")))

export const tenantIds = (rows: ReadonlyArray<Row>): Array<TenantId> =>
  Array.from(new Set(rows.map((row) => text(row, "tenant_id"))), (id) => TenantId.make(id))

export const tenantsWithQueued = (db: Statements): Array<TenantId> =>
  tenantIds(db.all("SELECT tenant_id FROM tenant_stats WHERE queued > 0 AND paused = 0 AND tenant_id <> '*'"))

export const tenantsWithRunning = (db: Statements): Array<TenantId> =>
  tenantIds(db.all("SELECT tenant_id FROM tenant_stats WHERE running > 0 AND tenant_id <> '*'"))

export const hasQueued = (db: Statements, tenant: TenantId, most = Number.MAX_SAFE_INTEGER): boolean =>
  db.get(
    "SELECT 1 FROM tenant_stats WHERE tenant_id = ? AND queued > 0 AND paused = 0 AND running < ?",
    tenant,
    most
  ) !== undefined

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

/** Documents that wait: of the tenant, and of all. */
export const waiting = (db: Statements, tenant: TenantId): { readonly own: number; readonly all: number } => {
  const row = db.get(
    `SELECT waiting AS every, coalesce((SELECT waiting FROM tenant_stats WHERE tenant_id = ?), 0) AS own
      FROM tenant_stats WHERE tenant_id = '*'`,
    tenant
  )
  return row === undefined ? { own: 0, all: 0 } : { own: number(row, "own"), all: number(row, "every") }
}

const noStats: QueueCounters = {
  waiting: 0,
  running: 0,
  maxWaiting: 0,
  maxRunning: 0,
  processed: 0,
  failed: 0,
  storedBytes: 0
}

export const stats = (db: Statements, tenant: TenantId | "*"): QueueCounters => {
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
