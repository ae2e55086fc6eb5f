/** The blobs in files that this database has put there. Only those are removed when nothing refers to them. */
import { Effect } from "effect"
import type { BlobHash } from "../../../domain/Ids.ts"
import { BlobStoreUnavailable } from "../../../services/BlobStore.ts"
import type { BlobRegister } from "../../blobs/BlobRegister.ts"
import { PostgresDatabase } from "../database/PostgresDatabase.ts"

const addSql = "INSERT INTO known_blobs (hash) VALUES ($1) ON CONFLICT DO NOTHING"
const dropSql = `
  DELETE FROM known_blobs WHERE hash = $1
    AND NOT EXISTS (SELECT 1 FROM blob_references WHERE hash = $1) AND NOT EXISTS (SELECT 1 FROM documents WHERE blob = $1)
    AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = $1)
`
const hasSql = `
  SELECT 1 FROM known_blobs WHERE hash = $1 UNION ALL SELECT 1 FROM documents WHERE blob = $1
  UNION ALL SELECT 1 FROM artifacts WHERE blob = $1 LIMIT 1`

export const register = Effect.map(PostgresDatabase, ({ run }): BlobRegister => {
  const ask = (operation: string, sql: string) => (hash: BlobHash) =>
    Effect.mapError(
      run(operation, (db) => db.all(sql, hash)),
      (cause) => new BlobStoreUnavailable({ operation, cause })
    )
  const has = ask("look for a blob", hasSql)
  return {
    add: (hash) => Effect.asVoid(ask("enter a blob", addSql)(hash)),
    drop: (hash) => Effect.asVoid(ask("forget a blob", dropSql)(hash)),
    has: (hash) => Effect.map(has(hash), (rows) => rows.length > 0)
  }
})
