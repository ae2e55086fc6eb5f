/** Small blobs in SQLite. A blob that was received for a document is committed with it. */
import { Effect, Exit, Layer } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import { BlobStore, BlobStoreUnavailable } from "../../services/BlobStore.ts"
import { receiptFor } from "../blobs/ReceivedBytes.ts"
import { portion, type SmallBlobs, withSmallBlobs } from "../blobs/SmallBlobs.ts"
import { GroupCommit, type Operation } from "./database/GroupCommit.ts"
import { migrate } from "./database/Migrations.ts"
import { number, text } from "../rows/documentRows.ts"
import { SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"

const unavailable = (operation: string) =>
  Effect.mapError((cause: unknown) => new BlobStoreUnavailable({ operation, cause }))

/** Saves the blob; one that is there is renewed and healed. */
export const saveBlob = (db: Statements, hash: BlobHash, bytes: Uint8Array, at: number) =>
  db.run(
    `INSERT INTO blobs (hash, bytes, put_at) VALUES (?, ?, ?)
      ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, put_at = excluded.put_at`,
    hash,
    bytes,
    at
  )

const write =
  (hash: BlobHash, bytes: Uint8Array, at: number): Operation<void, never> =>
  (db) => {
    saveBlob(db, hash, bytes, at)
    return Exit.void
  }

const touch =
  (hash: BlobHash, at: number): Operation<number | undefined, never> =>
  (db) => {
    const row = db.get("UPDATE blobs SET put_at = ? WHERE hash = ? RETURNING length(bytes) AS size", at, hash)
    return Exit.succeed(row === undefined ? undefined : number(row, "size"))
  }

const remove =
  (hash: BlobHash, putBefore: number): Operation<void, never> =>
  (db) => {
    db.run(
      `DELETE FROM blobs WHERE hash = ?1 AND put_at < ?2 AND NOT EXISTS (SELECT 1 FROM documents WHERE blob = ?1)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = ?1)`,
      hash,
      putBefore
    )
    return Exit.void
  }

const find = (db: Statements, hash: BlobHash): Uint8Array | undefined => {
  const bytes = db.get("SELECT bytes FROM blobs WHERE hash = ?", hash)?.["bytes"]
  return bytes instanceof Uint8Array ? bytes : undefined
}

const listAfter = (db: Statements, hash: string) =>
  db.all("SELECT hash, put_at FROM blobs WHERE hash > ? ORDER BY hash LIMIT ?", hash, portion).map((row) => ({
    hash: BlobHash.make(text(row, "hash")),
    putAtMillis: number(row, "put_at"),
    known: true
  }))

const make = Effect.gen(function* () {
  yield* migrate
  const others = yield* BlobStore
  const database = yield* SqliteDatabase
  const commit = yield* GroupCommit
  const small: SmallBlobs = {
    save: (hash, bytes) =>
      Effect.clockWith((clock) => commit("write a blob", write(hash, bytes, clock.currentTimeMillisUnsafe()))).pipe(
        unavailable("write a blob")
      ),
    hold: (bytes) => receiptFor(database.statements, bytes),
    touch: (hash) =>
      Effect.clockWith((clock) =>
        commit("renew a blob", touch(hash, clock.currentTimeMillisUnsafe()), "deferred")
      ).pipe(unavailable("renew a blob")),
    find: (hash) => database.use("look for a blob", (db) => find(db, hash)).pipe(unavailable("look for a blob")),
    remove: (hash, putBefore) =>
      commit("remove a blob", remove(hash, putBefore), "deferred").pipe(unavailable("remove a blob")),
    listAfter: (hash) => database.use("list blobs", (db) => listAfter(db, hash)).pipe(unavailable("list its blobs"))
  }
  return withSmallBlobs(small, others)
})

/** Keeps large blobs in the store it is given. */
export const layerNoDeps = Layer.effect(BlobStore, make)
