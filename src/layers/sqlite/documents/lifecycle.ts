/**
 * Changes of documents outside their runs: retry, withdrawal, expiry, and removal when they are old; and the records of
 * requests and tenants. Operations of a group commit, like those of `queue.ts`.
 */
import { Exit, Option, Result } from "effect"
import type { Document, DocumentStatus } from "../../../domain/document/Document.ts"
import { failure } from "../../../domain/Failure.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { StageName } from "../../../domain/pipeline/Pipeline.ts"
import { type Removed, type RerunDocument, rerunStates, retriedStates } from "../../../services/store/Documents.ts"
import type { BacklogLimits, Rerun, Retry } from "../../../services/store/NewDocument.ts"
import { DocumentNotFound, NotRetryable, type QueueFull } from "../../../services/store/StoreErrors.ts"
import type { Operation } from "../database/GroupCommit.ts"
import { findBySeq } from "./records.ts"
import { decodeStatus, number, optionalText } from "../../rows/documentRows.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { fullQueue } from "./accept.ts"
import { end, removeBySeq } from "./queue.ts"
import { removedArtifacts, removeOfStage, removeUnfinished } from "../artifacts/SqliteArtifacts.ts"
import { claimRemovals } from "./SqliteBlobReferences.ts"

/** What may be queued again, or why it may not. */
const requeueable = (
  db: Statements,
  tenant: TenantId,
  id: DocumentId,
  { passwordKey }: Retry,
  limits: BacklogLimits,
  states: ReadonlySet<DocumentStatus>
): Result.Result<number, DocumentNotFound | NotRetryable | QueueFull> => {
  const found = db.get("SELECT seq, status, password_key FROM documents WHERE id = ? AND tenant_id = ?", id, tenant)
  if (found === undefined) return Result.fail(new DocumentNotFound({ documentId: id }))
  const status = decodeStatus(found["status"])
  if (!states.has(status)) return Result.fail(new NotRetryable({ documentId: id, why: "status", status }))
  if (optionalText(found, "password_key") !== undefined && passwordKey === undefined) {
    return Result.fail(new NotRetryable({ documentId: id, why: "password", status }))
  }
  const full = fullQueue(db, tenant, limits)
  return full === undefined ? Result.succeed(number(found, "seq")) : Result.fail(full)
}

/** Removes those pages with what is known of them, and answers with their bytes and their number. `condition` is of a row of `pages p`. */
const removePages = (
  db: Statements,
  seq: number,
  condition: string,
  ...given: ReadonlyArray<string | null>
): { readonly bytes: number; readonly count: number } => {
  const removed = db.all(
    `DELETE FROM pages AS p WHERE document = ? AND ${condition}
      RETURNING octet_length(text) + octet_length(lines) + coalesce(octet_length(layout), 0) AS bytes`,
    seq,
    ...given
  )
  for (const table of ["warnings", "page_sources"]) {
    db.run(
      `DELETE FROM ${table} WHERE document = ?1 AND page > 0 AND page NOT IN (SELECT number FROM pages WHERE document = ?1)`,
      seq
    )
  }
  return { bytes: removed.reduce((sum, row) => sum + number(row, "bytes"), 0), count: removed.length }
}

/** `bytes` are of the results that were removed. */
const queueAgain = (db: Statements, seq: number, { passwordKey, sealedPassword }: Retry, bytes: number, at: number) => {
  db.run(
    `UPDATE documents SET status = 'queued', queued_at = ?1, retried_at = ?1, retries = retries + 1, failure = NULL, finished_at = NULL,
      pages_done = (SELECT count(*) FROM pages p WHERE p.document = seq),
      pages_failed = (SELECT count(*) FROM pages p WHERE p.document = seq AND p.status IN ('failed', 'timeout')),
      pages_warned = (SELECT count(*) FROM warnings w WHERE w.document = seq AND page > 0), result_bytes = result_bytes - ?2,
      callback_next_at = NULL, callback_deliveries = 0, changed = next_change(), sealed_password = ?3, password_key = ?4
      WHERE seq = ?5`,
    at,
    bytes,
    sealedPassword ?? null,
    passwordKey ?? null,
    seq
  )
  return findBySeq(db, seq)
}

export const retry =
  (
    tenant: TenantId,
    id: DocumentId,
    given: Retry,
    limits: BacklogLimits,
    at: number
  ): Operation<Document, DocumentNotFound | NotRetryable | QueueFull> =>
  (db) => {
    const found = requeueable(db, tenant, id, given, limits, retriedStates)
    if (Result.isFailure(found)) return Exit.fail(found.failure)
    const seq = found.success
    const isMeant = `(status IN ('failed', 'timeout') OR ${skippedOn})`
    const { bytes, count } = removePages(db, seq, isMeant, namesOf(given.givers))
    const made = count === 0 ? 0 : removeOfWhole(db, seq, namesOf(given.whole))
    db.run("DELETE FROM page_faults WHERE document = ?", seq)
    removeUnfinished(db, seq)
    return Exit.succeed(queueAgain(db, seq, given, bytes + made, at))
  }

/** Pages on which the stage worked, was skipped or failed; of one version, if that is named. */
const workedOnBy = `
  (EXISTS (
    SELECT 1 FROM artifacts a WHERE a.document = p.document AND a.page = p.number AND a.stage = ?2 AND (?3 IS NULL OR a.version = ?3)
  ) OR (?3 IS NULL AND number IN (SELECT page FROM page_sources s WHERE s.document = p.document AND s.source = ?2)))`

/** Pages on which one of these stages was skipped. */
const skippedOn = `EXISTS (
    SELECT 1 FROM artifacts a WHERE a.document = p.document AND a.page = p.number AND a.status = 'skipped'
      AND a.stage IN (SELECT value FROM json_each(?2))
  )`

const namesOf = (stages: ReadonlyArray<StageName> = []) => JSON.stringify(stages)

/** Removes what these stages have made of the document as a whole. Answers with its bytes. */
const removeOfWhole = (db: Statements, seq: number, stages: string): number =>
  removedArtifacts(db, "document = ?1 AND page = 0 AND stage IN (SELECT value FROM json_each(?2))", seq, stages).bytes

/** Removes what these stages have made of pages on which another one worked. Answers with its bytes and blobs. */
const removeLater = (db: Statements, seq: number, { later, stage, version }: Rerun) =>
  removedArtifacts(
    db,
    `document = ?1 AND stage IN (SELECT value FROM json_each(?4))
      AND page IN (SELECT number FROM pages p WHERE p.document = ?1 AND ${workedOnBy})`,
    seq,
    stage,
    version ?? null,
    namesOf(later)
  )

export const rerun =
  (
    tenant: TenantId,
    id: DocumentId,
    again: Rerun,
    given: Retry,
    limits: BacklogLimits,
    at: number
  ): Operation<RerunDocument, DocumentNotFound | NotRetryable | QueueFull> =>
  (db) => {
    const found = requeueable(db, tenant, id, given, limits, rerunStates)
    if (Result.isFailure(found)) return Exit.fail(found.failure)
    const seq = found.success
    const ofPages = again.pages === true
    const later = ofPages ? removeLater(db, seq, again) : { bytes: 0, blobs: [] }
    const pageBytes = ofPages ? removePages(db, seq, workedOnBy, again.stage, again.version ?? null).bytes : 0
    const { blobs, bytes } = removeOfStage(db, seq, again)
    const document = queueAgain(db, seq, given, pageBytes + later.bytes + bytes, at)
    return Exit.succeed({ document, unusedBlobs: claimRemovals(db, new Set([...later.blobs, ...blobs]), at) })
  }

export const withdraw =
  (tenant: TenantId, id: DocumentId, shares: number, now: number): Operation<Option.Option<Removed>, never> =>
  (db) => {
    const found = db.get("SELECT seq FROM documents WHERE id = ? AND tenant_id = ? AND shared <= ?", id, tenant, shares)
    return Exit.succeed(Option.fromUndefinedOr(found && removeBySeq(db, number(found, "seq"), now)))
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
    const removed: Array<Removed> = []
    let pages = 0
    for (const row of old) {
      pages += number(row, "pages_done")
      if (removed.length > 0 && pages > pagesPerRemoval) break
      removed.push(...[removeBySeq(db, number(row, "seq"), now) ?? []].flat())
    }
    return Exit.succeed(removed)
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
