/** Commands for an operator whose server does not start in a data folder. No server may work there meanwhile. */
import { statSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { DataDirectoryUnusable, holdDataDirectory, rootCause } from "./DataDirectory.ts"
import { blobsIn, databasePath, examineFolder } from "./FolderCheck.ts"
import * as FolderIdentity from "../sqlite/database/FolderIdentity.ts"
import { layer as clientLayer } from "../sqlite/database/SqliteClient.ts"
import { SqliteDatabase } from "../sqlite/database/SqliteDatabase.ts"

const cannot = (directory: string) =>
  Effect.mapError((cause: Error) =>
    cause instanceof DataDirectoryUnusable
      ? cause
      : new DataDirectoryUnusable({ directory, detail: `its database cannot be used (${rootCause(cause)})` })
  )

/** Runs with the folder held and its database adopted. */
const caring = <A, E extends Error>(directory: string, care: Effect.Effect<A, E, SqliteDatabase>) =>
  Effect.gen(function* () {
    yield* holdDataDirectory(directory)
    const found = yield* examineFolder(directory)
    return yield* Effect.andThen(FolderIdentity.adopt(directory, found), care).pipe(
      Effect.provide([clientLayer({ filename: databasePath(directory) }), SecureRandom.layerWebCrypto])
    )
  }).pipe(Effect.scoped, cannot(directory))

const countOriginals = (directory: string) =>
  Effect.flatMap(SqliteDatabase, (database) =>
    database.use("count originals", (db) => {
      let known = 0
      let unknown = 0
      for (const hash of blobsIn(directory)) {
        if (db.get("SELECT 1 FROM documents WHERE blob = ? LIMIT 1", hash) === undefined) unknown++
        else known++
      }
      return { known, unknown }
    })
  )

/**
 * Makes the database that is there, or a new one, the folder's own. Answers how many originals have a document, and how many
 * none.
 */
export const adoptFolder = (directory: string) => caring(directory, countOriginals(directory))

/** The same, and removes the originals that have no document. */
export const discardUnknown = (directory: string) =>
  caring(
    directory,
    Effect.flatMap(SqliteDatabase, (database) =>
      database.use("remove originals", (db) => {
        let removed = 0
        let bytes = 0
        for (const hash of blobsIn(directory)) {
          if (db.get("SELECT 1 FROM documents WHERE blob = ? LIMIT 1", hash) !== undefined) continue
          const path = join(directory, "blobs", hash.slice(0, 2), hash)
          bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0
          unlinkSync(path)
          db.run("DELETE FROM known_blobs WHERE hash = ?", hash)
          removed++
        }
        return { removed, bytes }
      })
    )
  )
