/**
 * `ChangeLog` in Postgres. A cursor is a change number up to which every change is settled (`schema/changes.ts`): what commits
 * later has a higher one. So the bound is read first, and what is read after it is complete up to the bound.
 */
import { Effect, Option, Order } from "effect"
import type { Change, Changes, PageChange } from "../../../domain/Change.ts"
import { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { ChangeLog, cursorAt } from "../../../services/store/ChangeLog.ts"
import { documentSize, portionBytes, upTo } from "../../../services/store/Portions.ts"
import { DocumentNotFound } from "../../../services/store/StoreErrors.ts"
import { int8, int8s } from "../database/Parameters.ts"
import type { PostgresDatabase, Row, Statements } from "../database/PostgresDatabase.ts"
import { decodePageStatus, documentsFrom, number, progress, text, toDocument } from "./rows.ts"

const settled = (db: Statements) =>
  Effect.map(db.get("SELECT settled_change() AS last"), (row = {}) => number(row, "last"))

const changedOfAll = "SELECT seq, changed FROM documents WHERE changed > $1 AND changed <= $2 ORDER BY changed LIMIT $3"
const changedOfTenant = `
  SELECT seq, changed FROM documents WHERE tenant_id = $4 AND changed > $1 AND changed <= $2 ORDER BY changed LIMIT $3`

/** The inner query comes first, so that its limit bounds the work: pages have no tenant. */
const changedPages = `
  SELECT p.changed, p.number, p.status, d.id, d.tenant_id, d.page_count, d.pages_done, d.pages_failed, d.pages_warned
  FROM (
    SELECT changed, number, status, document FROM pages WHERE changed > $1 AND changed <= $2 ORDER BY changed LIMIT $3
  ) p JOIN documents d ON d.seq = p.document ORDER BY p.changed`

/** The last of so many pages, if there are so many: a query ends there. */
const lastPageLookedAt =
  "SELECT changed FROM pages WHERE changed > $1 AND changed <= $2 ORDER BY changed LIMIT 1 OFFSET $3"

const documentsAt = `${documentsFrom("documents")} WHERE d.seq = ANY($1)`

const pagesOf = `
  SELECT changed, number, status FROM pages WHERE document = $1 AND changed > $2 AND changed <= $3 ORDER BY changed LIMIT $4`

const toPageChange = (row: Row): PageChange => ({
  _tag: "Page",
  cursor: cursorAt(number(row, "changed")),
  tenantId: TenantId.make(text(row, "tenant_id")),
  documentId: DocumentId.make(text(row, "id")),
  page: number(row, "number"),
  status: decodePageStatus(row["status"]),
  progress: progress(row)
})

const boundOf = (row: Row | undefined): number =>
  row === undefined ? Number.POSITIVE_INFINITY : number(row, "changed")

/** Documents read at a time: large ones must not all be in memory at once. */
const documentsAtATime = 64

type DocumentChange = Extract<Change, { _tag: "Document" }>

/** Those that changed again since have left their place: they come later. */
const readDocuments = Effect.fnUntraced(function* (db: Statements, changed: ReadonlyArray<Row>) {
  const rows = yield* db.all(documentsAt, int8s(changed.map((row) => number(row, "seq"))))
  const bySeq = new Map(rows.map((row) => [number(row, "seq"), row]))
  return changed.flatMap((place): ReadonlyArray<DocumentChange> => {
    const row = bySeq.get(number(place, "seq"))
    if (row === undefined || row["changed"] !== place["changed"]) return []
    return [{ _tag: "Document", cursor: cursorAt(number(row, "changed")), document: toDocument(row) }]
  })
})

const changes = Effect.fnUntraced(function* (
  db: Statements,
  { after, limit, tenant }: { readonly after: number; readonly limit: number; readonly tenant?: TenantId | undefined }
) {
  const last = Math.max(yield* settled(db), after)
  const nothing: Changes = { changes: [], through: cursorAt(last), complete: true }
  if (last === after) return nothing
  const range = [int8(after), int8(last), int8(limit)]
  const documents =
    tenant === undefined ? yield* db.all(changedOfAll, ...range) : yield* db.all(changedOfTenant, ...range, tenant)
  const pages = yield* db.all(changedPages, ...range)
  const lastPage = yield* db.get(lastPageLookedAt, int8(after), int8(last), int8(limit - 1))
  const looked = Math.min(boundOf(documents.length < limit ? undefined : documents.at(-1)), boundOf(lastPage))
  const within = (until: number) => (row: Row) => number(row, "changed") <= until
  const changed = documents.filter(within(looked))
  const read = yield* readDocuments(db, changed.slice(0, documentsAtATime))
  const told = upTo(read, portionBytes, ({ document }) => documentSize(document))
  const unread = changed[documentsAtATime]
  const bound =
    told.length < read.length
      ? (told.at(-1)?.cursor ?? after)
      : unread === undefined
        ? looked
        : number(changed[documentsAtATime - 1] ?? unread, "changed")
  const complete = bound === Number.POSITIVE_INFINITY
  const own = pages.filter((row) => within(bound)(row) && (tenant === undefined || row["tenant_id"] === tenant))
  const all: Array<Change> = [...own.map(toPageChange), ...told]
  const found: Changes = {
    changes: all.toSorted((a, b) => a.cursor - b.cursor),
    through: cursorAt(complete ? last : bound),
    complete
  }
  return found
})

const changesOf = Effect.fnUntraced(function* (
  db: Statements,
  tenant: TenantId,
  id: DocumentId,
  { after = -1, limit }: { readonly after?: number | undefined; readonly limit: number }
) {
  const last = Math.max(yield* settled(db), after)
  const found = yield* db.get(`${documentsFrom("documents")} WHERE d.id = $1 AND d.tenant_id = $2`, id, tenant)
  if (found === undefined) return yield* new DocumentNotFound({ documentId: id })
  const document = toDocument(found)
  const rows = yield* db.all(pagesOf, int8(number(found, "seq")), int8(after), int8(last), int8(limit))
  const pages = rows.map((row): PageChange => ({
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
    through: cursorAt(complete ? last : (pages.at(-1)?.cursor ?? after)),
    complete
  }
})

const lastGiven = "SELECT last_change_number() AS last"

export const changeLog = ({ run }: PostgresDatabase["Service"]) =>
  ChangeLog.of({
    beginning: cursorAt(0),
    order: Order.Number,
    idOf: (cursor) => cursor,
    // Not compared with the settled ones: these may be fewer than when the id was handed out, since a transaction began.
    resume: (id) =>
      Effect.map(
        run("find a change", (db) => db.get(lastGiven)),
        (row = {}) => (id <= number(row, "last") ? Option.some(cursorAt(id)) : Option.none())
      ),
    last: Effect.map(run("find the last change", settled), cursorAt),
    changes: (options) => run("find changes", (db) => changes(db, options)),
    changesOf: (tenant, id, options) => run("find a document's changes", (db) => changesOf(db, tenant, id, options))
  })
