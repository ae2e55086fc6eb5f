/**
 * The changes that runs make, as operations of a group commit: each checks first, then writes, and may be
 * repeated if its transaction has to be.
 */
import { Exit, Option } from "effect"
import { type Document, isTerminal } from "../../../domain/document/Document.ts"
import { failure } from "../../../domain/Failure.ts"
import { BlobHash, DocumentId, type RunnerId, TenantId } from "../../../domain/Ids.ts"
import { isFailed, type PageResult } from "../../../domain/document/Page.ts"
import type { StageName } from "../../../domain/pipeline/Pipeline.ts"
import type { NewArtifact } from "../../../services/store/Artifacts.ts"
import type { Claim } from "../../../services/store/Claim.ts"
import type { Removed } from "../../../services/store/Documents.ts"
import type { Fence } from "../../../services/store/Fence.ts"
import type { Outcome, WholeDocument } from "../../../services/store/Outcome.ts"
import { DocumentNotFound, LeaseLost } from "../../../services/store/StoreErrors.ts"
import { hasWarnings, type Warning } from "../../../domain/document/Warning.ts"
import type { OpenedPdf } from "../../../services/PdfEngine.ts"
import type { Operation } from "../database/GroupCommit.ts"
import { blobsOf, countsOf, expiredReference, writeArtifacts } from "../artifacts/SqliteArtifacts.ts"
import { donePages, faults, findBySeq, tenantIds } from "./records.ts"
import {
  decodeStatus,
  encodeFailure,
  encodeMetadata,
  encodeOutline,
  encodeWarnings,
  number,
  optionalText,
  text,
  toDocument
} from "../../rows/documentRows.ts"
import { type BlobReference, BlobReferenceExpired, type BlobRemoval } from "../../../services/store/BlobReferences.ts"
import { claimRemovals, consume } from "./SqliteBlobReferences.ts"
import type { Statements } from "../database/SqliteDatabase.ts"

/** The index is named because a plan that sorts the whole backlog would be correct, too. */
const nextQueued = `
  SELECT seq FROM documents INDEXED BY documents_queued
  WHERE tenant_id = ? AND status = 'queued'
    AND NOT EXISTS (
      SELECT 1 FROM tenant_stats s WHERE s.tenant_id = documents.tenant_id AND (paused = 1 OR running >= ?)
    )
  ORDER BY priority DESC, seq LIMIT 1
`

/** Until when the runner may hold a document, in milliseconds since the epoch. */
export interface Lease {
  readonly runner: RunnerId
  readonly until: number
}

export const claim =
  (
    tenant: TenantId,
    lease: Lease,
    now: number,
    most = Number.MAX_SAFE_INTEGER
  ): Operation<Option.Option<Claim>, never> =>
  (db) => {
    const row = db.get(
      `UPDATE documents SET status = 'running', attempt = attempt + 1, runner = ?, lease_until = ?, queued_at = NULL,
      started_at = coalesce(started_at, ?), changed = next_change() WHERE seq = (${nextQueued}) RETURNING *`,
      lease.runner,
      lease.until,
      now,
      tenant,
      most
    )
    if (row === undefined) return Exit.succeed(Option.none())
    const seq = number(row, "seq")
    const isFresh = number(row, "attempt") === 1
    // The findings of a run in a file are in another table.
    const document = isFresh ? toDocument(row) : findBySeq(db, seq)
    return Exit.succeed(
      Option.some({
        fence: { documentId: document.id, attempt: document.attempt },
        document,
        sealedPassword: optionalText(row, "sealed_password"),
        donePages: isFresh ? new Set() : donePages(db, seq),
        faults: isFresh ? new Map() : faults(db, seq),
        artifacts: isFresh || document.pipeline === undefined ? [] : countsOf(db, seq)
      })
    )
  }

export const renew =
  (lease: Lease): Operation<ReadonlyArray<Fence>, never> =>
  (db) =>
    Exit.succeed(
      db
        .all(
          `UPDATE documents INDEXED BY documents_running SET lease_until = ?
        WHERE status = 'running' AND runner = ? RETURNING id, attempt`,
          lease.until,
          lease.runner
        )
        .map((row) => ({ documentId: DocumentId.make(text(row, "id")), attempt: number(row, "attempt") }))
    )

/** The position of the document the fence holds. Expiry alone does not end a lease: until it is reclaimed, it holds. */
const held = (db: Statements, fence: Fence): number | undefined => {
  const row = db.get(
    "SELECT seq FROM documents WHERE id = ? AND attempt = ? AND status = 'running'",
    fence.documentId,
    fence.attempt
  )
  return row === undefined ? undefined : number(row, "seq")
}

const fenced =
  <A>(fence: Fence, change: (db: Statements, seq: number) => A): Operation<A, LeaseLost> =>
  (db) => {
    const seq = held(db, fence)
    return seq === undefined
      ? Exit.fail(new LeaseLost({ documentId: fence.documentId, attempt: fence.attempt }))
      : Exit.succeed(change(db, seq))
  }

export const fetched =
  (
    fence: Fence,
    blob: { readonly hash: BlobHash; readonly size: number },
    reference: BlobReference | undefined,
    now: number
  ): Operation<void, LeaseLost | BlobReferenceExpired> =>
  (db) => {
    if (held(db, fence) !== undefined && reference !== undefined && !consume(db, reference, now)) {
      return Exit.fail(new BlobReferenceExpired({ hash: reference.hash }))
    }
    return fenced(fence, (db, seq) => {
      db.run("UPDATE documents SET blob = ?, size = ? WHERE seq = ?", blob.hash, blob.size, seq)
    })(db)
  }

/** Warnings of a page, or, under 0, of the document. */
const writeWarnings = (db: Statements, seq: number, page: number, warnings: ReadonlyArray<Warning>): void => {
  db.run(
    "INSERT OR REPLACE INTO warnings (document, page, warnings) VALUES (?, ?, ?)",
    seq,
    page,
    encodeWarnings(warnings)
  )
}

/** Answers with the number of bytes written. */
const writeDetails = (db: Statements, seq: number, pdf: OpenedPdf): number => {
  const metadata = encodeMetadata(pdf.metadata)
  const outline = encodeOutline(pdf.outline)
  db.run(
    "INSERT OR REPLACE INTO document_details (document, metadata, outline) VALUES (?, ?, ?)",
    seq,
    metadata,
    outline
  )
  if (pdf.warnings !== undefined && pdf.warnings.length > 0) writeWarnings(db, seq, 0, pdf.warnings)
  else db.run("DELETE FROM warnings WHERE document = ? AND page = 0", seq)
  return Buffer.byteLength(metadata) + Buffer.byteLength(outline)
}

export const opened = (fence: Fence, pdf: OpenedPdf) =>
  fenced(fence, (db, seq) => {
    const bytes = writeDetails(db, seq, pdf)
    db.run(
      "UPDATE documents SET page_count = ?, detail_bytes = ?, changed = next_change() WHERE seq = ?",
      pdf.pageCount,
      bytes,
      seq
    )
  })

const writeSource = (db: Statements, seq: number, page: number, source: StageName): void => {
  db.run("INSERT OR REPLACE INTO page_sources (document, page, source) VALUES (?, ?, ?)", seq, page, source)
}

/** Pages that have a result already keep it; answers with the others. A page's row is numbered as its change. */
const writePages = (db: Statements, seq: number, pages: ReadonlyArray<PageResult>): ReadonlyArray<PageResult> => {
  const added = pages.filter(
    (page) =>
      db.run(
        `INSERT INTO pages (rowid, document, number, status, width, height, rotation, elapsed_millis, error, text, lines, layout)
        VALUES (next_change(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        seq,
        page.number,
        page.status,
        page.width,
        page.height,
        page.rotation,
        page.elapsedMillis,
        page.error === undefined ? null : encodeFailure(page.error),
        page.text,
        page.lines,
        page.layout ?? null
      ) > 0
  )
  for (const { number, source, warnings = [] } of added) {
    if (warnings.length > 0) writeWarnings(db, seq, number, warnings)
    if (source !== undefined) writeSource(db, seq, number, source)
  }
  return added
}

const bytesOf = (pages: ReadonlyArray<PageResult>): number =>
  pages.reduce(
    (sum, { layout, lines, text }) => sum + Buffer.byteLength(text) + Buffer.byteLength(lines) + (layout?.length ?? 0),
    0
  )

const countFailed = (pages: ReadonlyArray<PageResult>): number => pages.filter(({ status }) => isFailed(status)).length
const countWarned = (pages: ReadonlyArray<PageResult>): number => pages.filter(hasWarnings).length

/** The results are written; `bytes` are of what was written with them. */
const countResults = (db: Statements, seq: number, added: ReadonlyArray<PageResult>, bytes = 0): void => {
  if (added.length === 0 && bytes === 0) return
  db.run(
    `UPDATE documents SET pages_done = pages_done + ?, pages_failed = pages_failed + ?, pages_warned = pages_warned + ?,
        result_bytes = result_bytes + ? WHERE seq = ?`,
    added.length,
    countFailed(added),
    countWarned(added),
    bytesOf(added) + bytes,
    seq
  )
}

export const savePages = (fence: Fence, pages: ReadonlyArray<PageResult>) =>
  fenced(fence, (db, seq) => countResults(db, seq, writePages(db, seq, pages)))

export const saveArtifacts =
  (
    fence: Fence,
    artifacts: ReadonlyArray<NewArtifact>,
    pages: ReadonlyArray<PageResult>,
    now: number
  ): Operation<void, LeaseLost | BlobReferenceExpired> =>
  (db) => {
    const expired = held(db, fence) === undefined ? undefined : expiredReference(db, artifacts, now)
    return expired === undefined
      ? fenced(fence, (db, seq) => {
          const bytes = writeArtifacts(db, seq, artifacts, now)
          countResults(db, seq, writePages(db, seq, pages), bytes)
        })(db)
      : Exit.fail(expired)
  }

export const recordFault = (fence: Fence, page: number, fault: "failure" | "death") =>
  fenced(fence, (db, seq) => {
    db.run(
      `INSERT INTO page_faults (document, page, failures, deaths) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET failures = failures + excluded.failures, deaths = deaths + excluded.deaths`,
      seq,
      page,
      fault === "failure" ? 1 : 0,
      fault === "death" ? 1 : 0
    )
  })

/** The tenant's endpoint is read only if the document names no callback: one lookup in an index that is in memory. */
export const owesCallback = `callback IS NOT NULL OR EXISTS (
  SELECT 1 FROM webhooks w WHERE w.tenant_id = documents.tenant_id AND w.url IS NOT NULL AND w.disabled_at IS NULL
)`

/**
 * Ends a document: its secrets are removed, its callback falls due, and its lease ends. `whole` holds findings of the run that
 * are not written yet.
 */
export const end = (
  db: Statements,
  seq: number,
  outcome: Outcome | { status: "cancelled" },
  at: number,
  whole?: WholeDocument
): Document => {
  const reason =
    outcome.status === "failed"
      ? outcome.failure
      : outcome.status === "cancelled"
        ? failure("CANCELLED", "The document was cancelled.")
        : undefined
  const added = whole === undefined ? [] : writePages(db, seq, whole.pages)
  const detailBytes = whole === undefined ? null : writeDetails(db, seq, whole.pdf)
  const row = db.get(
    `UPDATE documents SET page_count = coalesce(?, page_count), pages_done = pages_done + ?, pages_failed = pages_failed + ?,
      pages_warned = pages_warned + ?, result_bytes = result_bytes + ?, detail_bytes = coalesce(?, detail_bytes),
      status = ?, failure = ?, finished_at = ?, attempt = attempt + ?, changed = next_change(), runner = NULL,
      lease_until = NULL, queued_at = NULL, sealed_password = NULL, callback_next_at = iif(${owesCallback}, ?, NULL) WHERE seq = ?
      RETURNING *`,
    whole?.pdf.pageCount ?? null,
    added.length,
    countFailed(added),
    countWarned(added),
    bytesOf(added),
    detailBytes,
    outcome.status,
    reason === undefined ? null : encodeFailure(reason),
    at,
    outcome.status === "cancelled" ? 1 : 0,
    at,
    seq
  )
  return row === undefined || whole === undefined ? findBySeq(db, seq) : toDocument(row, whole.pdf)
}

export const finish = (fence: Fence, outcome: Outcome, at: number) =>
  fenced(fence, (db, seq) => end(db, seq, outcome, at))

export const finishWhole = (fence: Fence, whole: WholeDocument, outcome: Outcome, at: number) =>
  fenced(fence, (db, seq) => end(db, seq, outcome, at, whole))

const requeued = `SET status = 'queued', interruptions = interruptions + 1, runner = NULL, lease_until = NULL,
  changed = next_change()`

export const release = (fence: Fence) =>
  fenced(fence, (db, seq) => {
    db.run(`UPDATE documents ${requeued} WHERE seq = ?`, seq)
  })

export const reclaimExpired =
  (now: number): Operation<ReadonlyArray<TenantId>, never> =>
  (db) =>
    Exit.succeed(
      tenantIds(
        db.all(
          `UPDATE documents INDEXED BY documents_running ${requeued}
      WHERE status = 'running' AND lease_until <= ? RETURNING tenant_id`,
          now
        )
      )
    )

export const reclaimAll =
  (tenant: TenantId): Operation<number, never> =>
  (db) =>
    Exit.succeed(
      db.all(`UPDATE documents ${requeued} WHERE status = 'running' AND tenant_id = ? RETURNING seq`, tenant).length
    )

export const queueDue =
  (now: number): Operation<ReadonlyArray<TenantId>, never> =>
  (db) =>
    Exit.succeed(
      tenantIds(
        db.all(
          `UPDATE documents SET status = 'queued', queued_at = ?, changed = next_change() WHERE status = 'scheduled' AND not_before <= ?
          RETURNING tenant_id`,
          now,
          now
        )
      )
    )

export const cancel =
  (tenant: TenantId, id: DocumentId, at: number): Operation<Document, DocumentNotFound> =>
  (db) => {
    const found = db.get("SELECT seq FROM documents WHERE id = ? AND tenant_id = ?", id, tenant)
    if (found === undefined) return Exit.fail(new DocumentNotFound({ documentId: id }))
    const seq = number(found, "seq")
    const document = findBySeq(db, seq)
    return Exit.succeed(isTerminal(document.status) ? document : end(db, seq, { status: "cancelled" }, at))
  }

const removedColumns = "id, tenant_id, attempt, status, blob"

/** Removes the document with all that belongs to it, and claims the removal of its blobs that nothing refers to any more. */
export const removeBySeq = (db: Statements, seq: number, now: number): Removed | undefined => {
  const blobs = new Set(blobsOf(db, seq))
  const row = db.get(`DELETE FROM documents WHERE seq = ? RETURNING ${removedColumns}`, seq)
  if (row === undefined) return undefined
  const original = optionalText(row, "blob")
  if (original !== undefined) blobs.add(BlobHash.make(original))
  return {
    id: DocumentId.make(text(row, "id")),
    tenantId: TenantId.make(text(row, "tenant_id")),
    attempt: number(row, "attempt"),
    status: decodeStatus(row["status"]),
    unusedBlobs: claimRemovals(db, blobs, now)
  }
}

/** Also removes what is not terminal: with its row, the document's fence is gone, too. A callback still owed is dropped. */
export const remove =
  (tenant: TenantId, id: DocumentId, now: number): Operation<ReadonlyArray<BlobRemoval>, DocumentNotFound> =>
  (db) => {
    const found = db.get("SELECT seq FROM documents WHERE id = ? AND tenant_id = ?", id, tenant)
    const removed = found && removeBySeq(db, number(found, "seq"), now)
    return removed === undefined
      ? Exit.fail(new DocumentNotFound({ documentId: id }))
      : Exit.succeed(removed.unusedBlobs)
  }
