/** The blobs in files that this database has put there. Only those are removed when nothing refers to them. */
import { Effect, Exit } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import { BlobStoreUnavailable } from "../../services/BlobStore.ts"
import type { BlobRegister } from "../blobs/BlobRegister.ts"
import { GroupCommit } from "./database/GroupCommit.ts"
import { SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"

export const makeKnown = "INSERT OR IGNORE INTO known_blobs (hash) VALUES (?)"
const makeUnknown = `
  DELETE FROM known_blobs WHERE hash = ?1
    AND NOT EXISTS (SELECT 1 FROM blob_references WHERE hash = ?1) AND NOT EXISTS (SELECT 1 FROM documents WHERE blob = ?1)
    AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = ?1)
`

const known = `
  SELECT 1 FROM known_blobs WHERE hash = ?1 UNION ALL SELECT 1 FROM documents WHERE blob = ?1
  UNION ALL SELECT 1 FROM artifacts WHERE blob = ?1 LIMIT 1`

/**
 * Entries are deferred: a crash of the machine may take one back, and then its blob is unknown, and stays. Blobs that a
 * killed process leaves behind are known.
 */
export const register = Effect.gen(function* () {
  const commit = yield* GroupCommit
  const database = yield* SqliteDatabase
  const unavailable = (operation: string) =>
    Effect.mapError((cause: Error) => new BlobStoreUnavailable({ operation, cause }))

  const change = (operation: string, sql: string) => (hash: BlobHash) => {
    const run = (db: Statements) => {
      db.run(sql, hash)
      return Exit.void
    }
    return commit(operation, run, "deferred").pipe(unavailable(operation))
  }

  const blobs: BlobRegister = {
    add: change("enter a blob", makeKnown),
    drop: change("forget a blob", makeUnknown),
    has: (hash) =>
      database.use("look for a blob", (db) => db.get(known, hash) !== undefined).pipe(unavailable("look for a blob"))
  }
  return blobs
})
