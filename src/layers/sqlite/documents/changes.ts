/**
 * The numbers of changes, and the queries of changes. The last number is a counter in the row of all tenants, which most writes
 * change anyway, so that several processes may write: a transaction reads it first and writes it last, and only one transaction
 * writes at a time. So changes are committed in the order of their numbers, and a number is a cursor. A number is never used
 * twice, even if its change was removed, or lost with a crash of the machine: every start begins above a block that was reserved
 * before.
 */
import { Exit } from "effect"
import type { Change, Changes, DocumentChanges, PageChange } from "../../../domain/Change.ts"
import { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { documentSize, portionBytes, upTo } from "../../../domain/document/Portions.ts"
import { cursorAt } from "../../../services/store/ChangeLog.ts"
import type { Operation } from "../database/GroupCommit.ts"
import { findBySeq } from "./records.ts"
import { decodePageStatus, number, progress, text } from "../../rows/documentRows.ts"
import type { Row, Statements } from "../database/SqliteDatabase.ts"

/** Far more numbers than are given out before the next reservation is on the disk. */
const block = 2 ** 20
const renewEvery = 1024

const reserve = "UPDATE change_numbers SET reserved = max(reserved, ?)"

/** The number of the last change that is committed, of any process. */
export const lastChange = (db: Statements): number =>
  number(db.get("SELECT last_change FROM tenant_stats WHERE tenant_id = '*'") ?? {}, "last_change")

const writeLast = "UPDATE tenant_stats SET last_change = ? WHERE tenant_id = '*'"

export const makeNumbers = () => {
  /** Of the transaction at hand. */
  let last = 0
  let renewedAt = 0
  const begin: Operation<void, never> = (db) => {
    last = number(db.get("SELECT reserved FROM change_numbers") ?? {}, "reserved")
    renewedAt = last
    db.run(reserve, last + block)
    db.run(writeLast, last)
    db.define("next_change", () => ++last)
    return Exit.void
  }
  const owner = {}
  /** Reads the last number of any process, and before the commit writes the new one. Reserves more when many have been used. */
  const takeUp = (db: Statements) => {
    const before = lastChange(db)
    last = before
    return () => {
      if (last !== before) db.run(writeLast, last)
      if (last - renewedAt < renewEvery) return
      db.run(reserve, last + block)
      renewedAt = last
    }
  }
  return {
    begin,
    /** Gives an operation its numbers. If its transaction is undone, they are given out again. */
    numbered:
      <A, E>(operation: Operation<A, E>): Operation<A, E> =>
      (db) => {
        db.work.once(owner, () => takeUp(db))
        return operation(db)
      }
  }
}

export type Numbers = ReturnType<typeof makeNumbers>

const changedDocuments = `
  SELECT seq, changed FROM documents INDEXED BY documents_changed WHERE changed > ? ORDER BY changed LIMIT ?
`

const changedDocumentsOfTenant = `
  SELECT seq, changed FROM documents INDEXED BY documents_changed_of_tenant
  WHERE tenant_id = ? AND changed > ? ORDER BY changed LIMIT ?
`

/** The last of so many pages, if there are so many: a query ends there. */
const lastPageLookedAt = "SELECT rowid AS changed FROM pages WHERE rowid > ? ORDER BY rowid LIMIT 1 OFFSET ?"

/**
 * Of a page only the columns before its text are read. The inner query comes first, so that its limit bounds the work: pages
 * have no tenant, whose index would be written with every page.
 */
const changedPages = (condition: string) => `
  SELECT p.changed, p.number, p.status, d.id, d.tenant_id, d.page_count, d.pages_done, d.pages_failed, d.pages_warned
  FROM (SELECT rowid AS changed, document, number, status FROM pages WHERE rowid > ? ORDER BY rowid LIMIT ?) p
  CROSS JOIN documents d ON d.seq = p.document WHERE ${condition} ORDER BY p.changed
`
const changedPagesOfAll = changedPages("true")
const changedPagesOfTenant = changedPages("d.tenant_id = ?")

/** The index of the primary key holds rowids, too; the plus keeps the table from being searched by them. */
const pagesOf = `
  SELECT p.rowid AS changed, p.number, p.status
  FROM (
    SELECT rowid AS changed FROM pages WHERE document = ? AND +rowid > ? ORDER BY +rowid LIMIT ?
  ) found CROSS JOIN pages p ON p.rowid = found.changed ORDER BY p.rowid
`

const toPageChange = (row: Row): PageChange => ({
  _tag: "Page",
  cursor: cursorAt(number(row, "changed")),
  tenantId: TenantId.make(text(row, "tenant_id")),
  documentId: DocumentId.make(text(row, "id")),
  page: number(row, "number"),
  status: decodePageStatus(row["status"]),
  progress: progress(row)
})

/** The number of the row, after which there may be more. */
const boundOf = (row: Row | undefined): number =>
  row === undefined ? Number.POSITIVE_INFINITY : number(row, "changed")

/** Read one by one. */
function* documentChanges(db: Statements, rows: ReadonlyArray<Row>): Generator<Extract<Change, { _tag: "Document" }>> {
  for (const row of rows) {
    yield { _tag: "Document", cursor: cursorAt(number(row, "changed")), document: findBySeq(db, number(row, "seq")) }
  }
}

export const changes = (
  db: Statements,
  { after, limit, tenant }: { readonly after: number; readonly limit: number; readonly tenant?: TenantId | undefined }
): Changes => {
  // Read first. What another process commits between these queries has a higher number, and is left for the next call.
  const last = lastChange(db)
  const documents =
    tenant === undefined
      ? db.all(changedDocuments, after, limit)
      : db.all(changedDocumentsOfTenant, tenant, after, limit)
  const pages =
    tenant === undefined ? db.all(changedPagesOfAll, after, limit) : db.all(changedPagesOfTenant, after, limit, tenant)
  const looked = Math.min(
    boundOf(documents.length < limit ? undefined : documents.at(-1)),
    boundOf(db.get(lastPageLookedAt, after, limit - 1))
  )
  const within = (until: number) => (row: Row) => number(row, "changed") <= Math.min(until, last)
  const changed = documents.filter(within(looked))
  const told = upTo(documentChanges(db, changed), portionBytes, ({ document }) => documentSize(document))
  const bound = told.length < changed.length ? (told.at(-1)?.cursor ?? after) : looked
  const complete = bound === Number.POSITIVE_INFINITY
  const all: Array<Change> = [...pages.filter(within(bound)).map(toPageChange), ...told]
  return {
    changes: all.toSorted((a, b) => a.cursor - b.cursor),
    through: cursorAt(complete ? Math.max(last, after) : bound),
    complete
  }
}

export const changesOf = (
  db: Statements,
  tenant: TenantId,
  id: DocumentId,
  { after = -1, limit }: { readonly after?: number | undefined; readonly limit: number }
): DocumentChanges | undefined => {
  const last = lastChange(db)
  const found = db.get("SELECT seq, changed FROM documents WHERE id = ? AND tenant_id = ?", id, tenant)
  if (found === undefined) return undefined
  const seq = number(found, "seq")
  const document = findBySeq(db, seq)
  const pages = db.all(pagesOf, seq, after, limit).map((row): PageChange => ({
    _tag: "Page",
    cursor: cursorAt(number(row, "changed")),
    tenantId: tenant,
    documentId: id,
    page: number(row, "number"),
    status: decodePageStatus(row["status"]),
    progress: document.progress
  }))
  const complete = pages.length < limit
  return {
    document,
    cursor: cursorAt(number(found, "changed")),
    pages,
    through: cursorAt(complete ? Math.max(last, after) : (pages.at(-1)?.cursor ?? after)),
    complete
  }
}
