/** Blob references and claims of removals, as operations of a group commit. */
import { Duration, Effect, Exit, Option } from "effect"
import { BlobHash, type TenantId } from "../../../domain/Ids.ts"
import {
  type BlobReference,
  BlobReferences,
  untilReserved,
  type BlobRemoval,
  removalLease
} from "../../../services/store/BlobReferences.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import { atNow } from "../database/atNow.ts"
import type { Operation, Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { makeKnown } from "../KnownBlobs.ts"
import { number, text } from "../../rows/documentRows.ts"

const refersTo = (db: Statements, hash: BlobHash, tenant: TenantId | undefined): boolean =>
  tenant === undefined
    ? db.get(
        "SELECT 1 FROM documents WHERE blob = ?1 UNION ALL SELECT 1 FROM artifacts WHERE blob = ?1 LIMIT 1",
        hash
      ) !== undefined
    : db.get("SELECT 1 FROM documents WHERE blob = ? AND tenant_id = ? LIMIT 1", hash, tenant) !== undefined

/** None while a removal is claimed. Makes the blob known in the same commit. */
const reserve =
  (hash: BlobHash, now: number, millis: number): Operation<Option.Option<BlobReference>, never> =>
  (db) => {
    const row = db.get(
      `INSERT INTO blob_references (hash, expires_at)
        SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM blob_removals WHERE hash = ?1 AND expires_at > ?3)
        RETURNING id`,
      hash,
      now + millis,
      now
    )
    if (row === undefined) return Exit.succeed(Option.none())
    db.run(makeKnown, hash)
    return Exit.succeed(Option.some({ id: String(number(row, "id")), hash }))
  }

/** Ends the reference. False, and nothing is written, if it has run out. */
export const consume = (db: Statements, { id }: BlobReference, now: number): boolean =>
  db.run("DELETE FROM blob_references WHERE id = ? AND expires_at > ?", Number(id), now) > 0

export const release = (db: Statements, { id }: BlobReference): void => {
  db.run("DELETE FROM blob_references WHERE id = ?", Number(id))
}

/** Nothing refers to the blob, and its removal is not claimed. */
const claim = `
  INSERT INTO blob_removals (hash, expires_at)
  SELECT ?1, ?2
  WHERE NOT EXISTS (SELECT 1 FROM documents WHERE blob = ?1)
    AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = ?1)
    AND NOT EXISTS (SELECT 1 FROM blob_references WHERE hash = ?1 AND expires_at > ?3)
    AND NOT EXISTS (SELECT 1 FROM blob_removals WHERE hash = ?1 AND expires_at > ?3)
  RETURNING id, hash
`

/** To be called in the transaction that removed a document of this blob, or to collect a blob without documents. */
export const claimRemoval = (db: Statements, hash: BlobHash, now: number): BlobRemoval | undefined => {
  const row = db.get(claim, hash, now + Duration.toMillis(removalLease), now)
  return row && { id: String(number(row, "id")), hash: BlobHash.make(text(row, "hash")), claimedAt: now }
}

export const claimRemovals = (db: Statements, blobs: Iterable<BlobHash>, now: number): ReadonlyArray<BlobRemoval> =>
  Array.from(blobs).flatMap((hash) => claimRemoval(db, hash, now) ?? [])

const endRemoval =
  ({ id }: BlobRemoval): Operation<void, never> =>
  (db) => {
    db.run("DELETE FROM blob_removals WHERE id = ?", Number(id))
    return Exit.void
  }

/** Forgets what has run out by then. */
export const forgetReferences = (db: Statements, now: number): void => {
  db.run("DELETE FROM blob_references WHERE expires_at <= ?", now)
  db.run("DELETE FROM blob_removals WHERE expires_at <= ?", now)
}

/**
 * References are deferred: a crash of the machine that loses one ends its upload, too. A claim is flushed, so that the
 * removals of documents before it are on the disk when the bytes go.
 */
export const blobReferences = (read: Read, write: Write) =>
  BlobReferences.of({
    reserve: TraceContext.traced("BlobReferences.reserve", (hash, expiry) =>
      untilReserved(atNow((at) => write("reserve a blob", reserve(hash, at, Duration.toMillis(expiry)), "deferred")))
    ),
    release: Effect.fn("BlobReferences.release")((reference) =>
      write("release a blob", (db) => Exit.succeed(release(db, reference)), "deferred")
    ),
    refersTo: Effect.fn("BlobReferences.refersTo")((hash, tenant) =>
      read("look for a blob's documents", (db) => refersTo(db, hash, tenant))
    ),
    claimRemoval: Effect.fn("BlobReferences.claimRemoval")((hash) =>
      atNow((at) =>
        write("claim the removal of a blob", (db) => Exit.succeed(Option.fromUndefinedOr(claimRemoval(db, hash, at))))
      )
    ),
    endRemoval: Effect.fn("BlobReferences.endRemoval")((removal) =>
      write("end the removal of a blob", endRemoval(removal), "deferred")
    ),
    forgetExpired: atNow((at) =>
      write("forget old references", (db) => Exit.succeed(forgetReferences(db, at)), "deferred")
    )
  })
