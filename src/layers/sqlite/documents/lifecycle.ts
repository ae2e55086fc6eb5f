/**
 * Changes of documents outside their runs: retry, withdrawal, expiry, and removal when they are old; and the records of
 * requests and tenants. Operations of a group commit, like those of `queue.ts`.
 */
import { Exit, Option } from "effect"
import type { Document } from "../../../domain/document/Document.ts"
import { failure } from "../../../domain/Failure.ts"
import { BlobHash, DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { Removed } from "../../../services/store/Documents.ts"
import type { BacklogLimits, Retry } from "../../../services/store/NewDocument.ts"
import { DocumentNotFound, NotRetryable, type QueueFull } from "../../../services/store/StoreErrors.ts"
import type { Operation } from "../database/GroupCommit.ts"
import { findBySeq } from "./records.ts"
import { decodeStatus, number, optionalText, text } from "../../rows/documentRows.ts"
import type { Row, Statements } from "../database/SqliteDatabase.ts"
import { fullQueue } from "./accept.ts"
import { end } from "./queue.ts"
import { claimRemoval } from "./SqliteBlobReferences.ts"

export const retry =
  (
    tenant: TenantId,
    id: DocumentId,
    { passwordKey, sealedPassword }: Retry,
    limits: BacklogLimits,
    at: number
  ): Operation<Document, DocumentNotFound | NotRetryable | QueueFull> =>
  (db) => {
    const found = db.get("SELECT seq, password_key FROM documents WHERE id = ? AND tenant_id = ?", id, tenant)
    if (found === undefined) return Exit.fail(new DocumentNotFound({ documentId: id }))
    const seq = number(found, "seq")
    const { status } = findBySeq(db, seq)
    if (status !== "partial" && status !== "failed") {
      return Exit.fail(new NotRetryable({ documentId: id, why: "status", status }))
    }
    const knownKey = optionalText(found, "password_key")
    if (knownKey !== undefined && passwordKey === undefined) {
      return Exit.fail(new NotRetryable({ documentId: id, why: "password", status }))
    }
    const full = fullQueue(db, tenant, limits)
    if (full !== undefined) return Exit.fail(full)
    const removed = db.all(
      `DELETE FROM pages WHERE document = ? AND status IN ('failed', 'timeout')
        RETURNING octet_length(text) + octet_length(lines) + coalesce(octet_length(layout), 0) AS bytes`,
      seq
    )
    db.run("DELETE FROM page_faults WHERE document = ?", seq)
    db.run(
      "DELETE FROM warnings WHERE document = ?1 AND page > 0 AND page NOT IN (SELECT number FROM pages WHERE document = ?1)",
      seq
    )
    db.run(
      `UPDATE documents SET status = 'queued', queued_at = ?1, retried_at = ?1, retries = retries + 1, failure = NULL, finished_at = NULL,
        pages_done = pages_done - pages_failed, pages_failed = 0, result_bytes = result_bytes - ?2,
        pages_warned = (SELECT count(*) FROM warnings w WHERE w.document = seq AND page > 0), callback_next_at = NULL, callback_deliveries = 0,
        changed = next_change(), sealed_password = ?3, password_key = ?4 WHERE seq = ?5`,
      at,
      removed.reduce((sum, row) => sum + number(row, "bytes"), 0),
      sealedPassword ?? null,
      passwordKey ?? null,
      seq
    )
    return Exit.succeed(findBySeq(db, seq))
  }

const removedColumns = "RETURNING id, tenant_id, attempt, status, blob"

export const toRemoved = (db: Statements, row: Row, now: number): Removed => {
  const blob = optionalText(row, "blob")
  return {
    id: DocumentId.make(text(row, "id")),
    tenantId: TenantId.make(text(row, "tenant_id")),
    attempt: number(row, "attempt"),
    status: decodeStatus(row["status"]),
    unusedBlob: blob === undefined ? undefined : claimRemoval(db, BlobHash.make(blob), now)
  }
}

export const withdraw =
  (tenant: TenantId, id: DocumentId, shares: number, now: number): Operation<Option.Option<Removed>, never> =>
  (db) => {
    const row = db.get(
      `DELETE FROM documents WHERE id = ? AND tenant_id = ? AND shared <= ? ${removedColumns}`,
      id,
      tenant,
      shares
    )
    return Exit.succeed(Option.map(Option.fromUndefinedOr(row), (removed) => toRemoved(db, removed, now)))
  }

/** The most pages deleted in one transaction, since all else waits for it; one document is removed whole, however large. */
const pagesPerRemoval = 2_000

export const removeEnded =
  (finishedBefore: number, limit: number, now: number): Operation<ReadonlyArray<Removed>, never> =>
  (db) => {
    const old = db.all(
      `SELECT seq, pages_done FROM documents WHERE finished_at < ? AND callback_next_at IS NULL
      ORDER BY finished_at LIMIT ?`,
      finishedBefore,
      limit
    )
    const removed: Array<Row> = []
    let pages = 0
    for (const row of old) {
      pages += number(row, "pages_done")
      if (removed.length > 0 && pages > pagesPerRemoval) break
      removed.push(...db.all(`DELETE FROM documents WHERE seq = ? ${removedColumns}`, number(row, "seq")))
    }
    return Exit.succeed(removed.map((row) => toRemoved(db, row, now)))
  }

export const expireQueued =
  (queuedBefore: number, at: number, limit: number): Operation<ReadonlyArray<Document>, never> =>
  (db) => {
    const late = db.all(
      "SELECT seq FROM documents WHERE queued_at < ? AND status = 'queued' ORDER BY queued_at LIMIT ?",
      queuedBefore,
      limit
    )
    const outcome = {
      status: "failed",
      failure: failure("EXPIRED", "The document waited too long for its turn.")
    } as const
    return Exit.succeed(late.map((row) => end(db, number(row, "seq"), outcome, at)))
  }

export const setPaused =
  (tenant: TenantId, paused: boolean): Operation<void, never> =>
  (db) => {
    db.run(
      "INSERT INTO tenant_stats (tenant_id, paused) VALUES (?, ?) ON CONFLICT DO UPDATE SET paused = excluded.paused",
      tenant,
      paused ? 1 : 0
    )
    return Exit.void
  }
