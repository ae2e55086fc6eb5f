/** `Documents` in Postgres. */
import { type Context, Duration, Effect, Option, Schema } from "effect"
import { failure } from "../../../domain/Failure.ts"
import { BlobHash, DocumentId, TenantId } from "../../../domain/Ids.ts"
import { type BlobRemoval, removalLease } from "../../../services/store/BlobReferences.ts"
import type { BacklogLimits } from "../../../services/store/NewDocument.ts"
import { Documents, type ListOptions, type PagesOptions, type Removed } from "../../../services/store/Documents.ts"
import { upTo } from "../../../domain/document/Portions.ts"
import { DocumentNotFound, NotRetryable, QueueFull } from "../../../services/store/StoreErrors.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import { bool, float8, int4, int8, text as textOf, texts } from "../database/Parameters.ts"
import type { PostgresDatabase, Row, Statements } from "../database/PostgresDatabase.ts"
import { findBySeq } from "./PostgresDocumentQueue.ts"
import {
  decodeStatus,
  documentsFrom,
  documentsWithOutline,
  encodeFailure,
  number,
  placeholders,
  rowSize,
  text,
  toDocument,
  toPage
} from "./rows.ts"

type Methods = Context.Service.Shape<typeof Documents>
type Database = PostgresDatabase["Service"]

const byId = "WHERE d.id = $1 AND d.tenant_id = $2"
const findSql = `${documentsFrom("documents")} ${byId}`
const findWithOutlineSql = `${documentsWithOutline} ${byId}`

/** Sorts after every document id. */
const newest = "~"
const listSql = `${documentsFrom("documents")} WHERE d.tenant_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3`

/** One ordered index serves each state, so no more rows are read than the limit for each. */
const listByStatusSql = (states: number) => {
  const each = Array.from(
    { length: states },
    (_, index) =>
      `(SELECT * FROM documents WHERE tenant_id = $1 AND id < $2 AND status = $${index + 4} ORDER BY id DESC LIMIT $3)`
  )
  return `${documentsFrom(`(${each.join(" UNION ALL ")})`)} ORDER BY d.id DESC LIMIT $3`
}

const list = (db: Statements, tenant: TenantId, { before, limit, status }: ListOptions) => {
  const states = status === undefined ? [] : [...new Set(status)]
  if (status !== undefined && states.length === 0) return Effect.succeed([])
  const sql = states.length === 0 ? listSql : listByStatusSql(states.length)
  return db.all(sql, tenant, before ?? newest, int8(limit), ...states)
}

/** Pages up to the one with which these columns exceed so many bytes: later ones are not read. The first comes in any case. */
const pagesSql = (columns: string, sizes: string) => `
  SELECT number, status, width, height, rotation, elapsed_millis, error, warnings, source, ${columns} FROM pages
  WHERE document = $1 AND number >= $2 AND number <= coalesce((
    SELECT max(number) FROM (
      SELECT number, sum(bytes) OVER (ORDER BY number) - bytes AS before FROM (
        SELECT number, ${sizes} AS bytes FROM pages WHERE document = $1 AND number >= $2 ORDER BY number LIMIT $3
      ) sized
    ) summed WHERE before <= $4
  ), 0) ORDER BY number LIMIT $3`
const layoutSize = "coalesce(octet_length(layout), 0)"
const pagesInBrief = pagesSql("text", "octet_length(text)")
const pagesInDetail = pagesSql("text, lines", "octet_length(text) + octet_length(lines)")
const pagesWithLayout = pagesSql("text, layout", `octet_length(text) + ${layoutSize}`)
const wholePages = pagesSql("text, lines, layout", `octet_length(text) + octet_length(lines) + ${layoutSize}`)
const pageSummaries = `
  SELECT number, status, width, height, rotation, elapsed_millis, error, warnings, source, '' AS text FROM pages
  WHERE document = $1 AND number >= $2 ORDER BY number LIMIT $3`

const pagesAsFor = (detail: boolean, layout: boolean) =>
  layout ? (detail ? wholePages : pagesWithLayout) : detail ? pagesInDetail : pagesInBrief

const pages = Effect.fnUntraced(function* (db: Statements, tenant: TenantId, id: DocumentId, options: PagesOptions) {
  const { bytes = Number.MAX_SAFE_INTEGER, detail, from, layout = false, limit, summary = false } = options
  const found = yield* db.get("SELECT seq FROM documents WHERE id = $1 AND tenant_id = $2", id, tenant)
  if (found === undefined) return []
  const range = [int8(number(found, "seq")), int8(from), int8(limit)]
  const rows =
    summary && !detail && !layout
      ? yield* db.all(pageSummaries, ...range)
      : yield* db.all(pagesAsFor(detail, layout), ...range, int8(bytes))
  return upTo(rows, bytes, rowSize).map((row) => toPage(row))
})

const reading = ({ run }: Database): Pick<Methods, "find" | "list" | "pages"> => ({
  find: Effect.fn("Documents.find")(function* (tenant, id, detail) {
    const sql = detail === "outline" ? findWithOutlineSql : findSql
    const row = yield* run("find a document", (db) => db.get(sql, id, tenant))
    return row === undefined ? yield* new DocumentNotFound({ documentId: id }) : toDocument(row)
  }),
  list: Effect.fn("Documents.list")((tenant, options) =>
    Effect.map(
      run("list documents", (db) => list(db, tenant, options)),
      (rows) => upTo(rows, options.bytes ?? Number.POSITIVE_INFINITY, rowSize).map((row) => toDocument(row))
    )
  ),
  pages: TraceContext.traced("Documents.pages", (tenant, id, options) =>
    run("read pages", (db) => pages(db, tenant, id, options))
  )
})

/** The most pages deleted in one transaction; one document is removed whole, however large. */
const pagesPerRemoval = 2_000
const lease = int8(Duration.toMillis(removalLease))

const decodeRemovals = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ id: Schema.String, hash: BlobHash, claimedAt: Schema.Finite }))
)
const toRemovals = (row: Row): ReadonlyArray<BlobRemoval> => decodeRemovals(JSON.parse(text(row, "removals")))

const toRemoved = (row: Row): Removed => ({
  id: DocumentId.make(text(row, "id")),
  tenantId: TenantId.make(text(row, "tenant_id")),
  attempt: number(row, "attempt"),
  status: decodeStatus(row["status"]),
  unusedBlobs: toRemovals(row)
})

const cancelSql = documentsFrom("cancel_document($1, $2, $3)")
const cancellation = encodeFailure(failure("CANCELLED", "The document was cancelled."))
const withdrawSql = "SELECT * FROM withdraw_document($1, $2, $3, $4)"
const removeEndedSql = "SELECT * FROM remove_ended($1, $2, $3, $4)"

const ending = ({ run }: Database): Pick<Methods, "cancel" | "remove" | "withdraw" | "removeEnded"> => ({
  cancel: Effect.fn("Documents.cancel")(function* (tenant, id) {
    const row = yield* run("cancel a document", (db) => db.get(cancelSql, tenant, id, textOf(cancellation)))
    return row === undefined ? yield* new DocumentNotFound({ documentId: id }) : toDocument(row)
  }),
  remove: Effect.fn("Documents.remove")(function* (tenant, id) {
    const row = yield* run("remove a document", (db) =>
      db.get(withdrawSql, tenant, id, int8(Number.MAX_SAFE_INTEGER), lease)
    )
    if (row === undefined) return yield* new DocumentNotFound({ documentId: id })
    return toRemovals(row)
  }),
  withdraw: Effect.fn("Documents.withdraw")((tenant, id, shares) =>
    Effect.map(
      run("withdraw a document", (db) => db.get(withdrawSql, tenant, id, int8(shares), lease)),
      (row) => Option.map(Option.fromUndefinedOr(row), toRemoved)
    )
  ),
  removeEnded: Effect.fn("Documents.removeEnded")((endedLongerAgo, limit) =>
    Effect.map(
      run("remove ended documents", (db) =>
        db.all(removeEndedSql, float8(Duration.toMillis(endedLongerAgo)), int4(limit), int4(pagesPerRemoval), lease)
      ),
      (rows) => rows.map(toRemoved)
    )
  )
})

const retryWithLimits = "SELECT * FROM retry_document($1, $2, $3, $4, $5, $6, $7, $8)"

const rerunSql = `SELECT * FROM rerun_document(${placeholders(1, 11)})`

/** The document that was queued again, or why it was not. */
const queued = Effect.fnUntraced(function* (db: Statements, id: DocumentId, limits: BacklogLimits, row: Row) {
  const outcome = text(row, "outcome")
  if (outcome === "queued") return yield* findBySeq(db, number(row, "seq"))
  if (outcome === "missing") return yield* new DocumentNotFound({ documentId: id })
  if (outcome === "status" || outcome === "password") {
    return yield* new NotRetryable({ documentId: id, why: outcome, status: decodeStatus(row["status"]) })
  }
  const scope = outcome === "tenant" ? "tenant" : "global"
  return yield* new QueueFull({ scope, limit: limits[scope] })
})

const retrying = ({ transact }: Database): Pick<Methods, "retry" | "rerun"> => ({
  retry: Effect.fn("Documents.retry")((tenant, id, { givers = [], passwordKey, sealedPassword, whole = [] }, limits) =>
    transact("retry a document", (db) =>
      Effect.gen(function* () {
        const row =
          (yield* db.get(
            retryWithLimits,
            tenant,
            id,
            textOf(sealedPassword),
            textOf(passwordKey),
            int8(limits.tenant),
            int8(limits.global),
            texts(givers),
            texts(whole)
          )) ?? {}
        return yield* queued(db, id, limits, row)
      })
    )
  ),
  rerun: Effect.fn("Documents.rerun")((tenant, id, { later = [], pages = false, stage, version }, given, limits) =>
    transact("run a stage again", (db) =>
      Effect.gen(function* () {
        const row =
          (yield* db.get(
            rerunSql,
            tenant,
            id,
            stage,
            textOf(version),
            bool(pages),
            texts(later),
            textOf(given.sealedPassword),
            textOf(given.passwordKey),
            int8(limits.tenant),
            int8(limits.global),
            lease
          )) ?? {}
        return { document: yield* queued(db, id, limits, row), unusedBlobs: toRemovals(row) }
      })
    )
  )
})

export const documents = (database: Database) =>
  Documents.of({ ...reading(database), ...ending(database), ...retrying(database) })
