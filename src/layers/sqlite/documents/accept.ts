/** The acceptance of documents, as an operation of a group commit: it checks first, then writes. */
import { Exit } from "effect"
import type { Document } from "../../../domain/document/Document.ts"
import type { TenantId } from "../../../domain/Ids.ts"
import { BlobReferenceExpired } from "../../../services/store/BlobReferences.ts"
import { type BacklogLimits, type NewDocument, storedPipeline } from "../../../services/store/NewDocument.ts"
import { QueueFull, QuotaReached, StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import type { Operation } from "../database/GroupCommit.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { bytesReceived } from "../../blobs/ReceivedBytes.ts"
import { saveBlob } from "../SqliteBlobStore.ts"
import { findBySeq, stats, waiting } from "./records.ts"
import { newDocument, number } from "../../rows/documentRows.ts"
import { consume, release as giveBack } from "./SqliteBlobReferences.ts"

export const fullQueue = (db: Statements, tenant: TenantId, limits: BacklogLimits): QueueFull | undefined => {
  const { all, own } = waiting(db, tenant)
  if (own >= limits.tenant) return new QueueFull({ scope: "tenant", limit: limits.tenant })
  if (all >= limits.global) return new QueueFull({ scope: "global", limit: limits.global })
  return undefined
}

/** If the document's bytes are known, there has to be room for them, otherwise for one byte. */
const quotaReached = (db: Statements, { source, tenantId }: NewDocument, { storedBytes: limit }: BacklogLimits) => {
  if (limit === undefined) return undefined
  const { storedBytes } = stats(db, tenantId)
  const size = source._tag === "Blob" ? source.size : 1
  return storedBytes + size > limit ? new QuotaReached({ limit, storedBytes }) : undefined
}

/** Whether the bytes lie in another store, which then has to have the document, too. */
const isForeign = (db: Statements, { source }: NewDocument): boolean =>
  source._tag === "Blob" && source.receipt !== undefined && bytesReceived(db, source.receipt) === undefined

const keepBytes = (db: Statements, { source }: NewDocument, now: number): void => {
  if (source._tag === "Url" || source.receipt === undefined) return
  const bytes = bytesReceived(db, source.receipt)
  if (bytes !== undefined) saveBlob(db, source.hash, bytes, now)
}

/** The document that stands in for this one, if there is one. It is recorded that it does. */
const shareStandIn = (db: Statements, { callback, notBefore, ...wanted }: NewDocument, now: number) => {
  if (wanted.source._tag === "Url") return undefined
  const found = db.get(
    `SELECT seq FROM documents WHERE blob = ? AND tenant_id = ? AND name = ? AND password_key IS ? AND pipeline IS ?
      AND status IN ('scheduled', 'queued', 'running', 'completed', 'partial')
      AND (? IS NULL OR callback = ?) AND (status <> 'scheduled' OR not_before <= ?)
      ORDER BY seq DESC LIMIT 1`,
    wanted.source.hash,
    wanted.tenantId,
    wanted.name,
    wanted.passwordKey ?? null,
    storedPipeline(wanted.pipeline) ?? null,
    callback ?? null,
    callback ?? null,
    Math.max(notBefore ?? 0, now)
  )
  if (found === undefined) return undefined
  const seq = number(found, "seq")
  db.run("UPDATE documents SET shared = shared + 1 WHERE seq = ?", seq)
  return findBySeq(db, seq)
}

const insert = (db: Statements, document: NewDocument, now: number): Document => {
  const { notBefore, source } = document
  const scheduled = notBefore !== undefined && notBefore > now
  db.run(
    `INSERT INTO documents
    (id, tenant_id, name, source_url, blob, size, priority, status, not_before, sealed_password, password_key, callback,
      accepted_at, queued_at, trace, pipeline, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, next_change())`,
    document.id,
    document.tenantId,
    document.name,
    source._tag === "Url" ? source.url : null,
    source._tag === "Blob" ? source.hash : null,
    source._tag === "Blob" ? source.size : null,
    document.priority,
    scheduled ? "scheduled" : "queued",
    notBefore ?? null,
    document.sealedPassword ?? null,
    document.passwordKey ?? null,
    document.callback ?? null,
    now,
    scheduled ? null : now,
    document.trace ?? null,
    storedPipeline(document.pipeline) ?? null
  )
  return newDocument(document, now, scheduled ? "scheduled" : "queued")
}

export const accept =
  (
    document: NewDocument,
    limits: BacklogLimits,
    now: number
  ): Operation<Document, QueueFull | QuotaReached | BlobReferenceExpired | StoreUnavailable> =>
  (db) => {
    if (isForeign(db, document)) {
      const cause = "its bytes were received by another store"
      return Exit.fail(new StoreUnavailable({ operation: "accept a document", cause }))
    }
    const { reference } = document
    const standIn = document.reuse ? shareStandIn(db, document, now) : undefined
    if (standIn !== undefined) {
      if (reference !== undefined) giveBack(db, reference)
      keepBytes(db, document, now)
      return Exit.succeed(standIn)
    }
    const full = fullQueue(db, document.tenantId, limits) ?? quotaReached(db, document, limits)
    if (full !== undefined) return Exit.fail(full)
    if (reference !== undefined && !consume(db, reference, now)) {
      return Exit.fail(new BlobReferenceExpired({ hash: reference.hash }))
    }
    keepBytes(db, document, now)
    return Exit.succeed(insert(db, document, now))
  }
