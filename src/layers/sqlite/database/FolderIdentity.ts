/** Writes into the database and beside it that they belong together, and how often servers have started and stopped on them. */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { DataDirectoryUnusable, rootCause } from "../../folder/DataDirectory.ts"
import type { FolderFound } from "../../folder/FolderCheck.ts"
import { folderFormat, writeMark } from "../../folder/FolderMark.ts"
import { migrate } from "./Migrations.ts"
import { forgetKey } from "../keys/SealingKey.ts"
import { SqliteDatabase, type Statements } from "./SqliteDatabase.ts"

const saveIdentity = (db: Statements, id: string, generation: number) =>
  db.run(
    `INSERT INTO data_folder (only, id, generation) VALUES (1, ?, ?)
      ON CONFLICT DO UPDATE SET id = excluded.id, generation = excluded.generation`,
    id,
    generation
  )

/**
 * Sets the database and the mark beside it to the next generation, the database first: so the mark is never ahead of the
 * database, unless the database is an older one. If there is no room for the mark, that is logged, and the start goes on.
 */
const advance = Effect.fnUntraced(function* (
  directory: string,
  { id, generation }: { readonly id: string; readonly generation: number },
  open: boolean
) {
  const database = yield* SqliteDatabase
  yield* database.use("mark the data folder", (db) => saveIdentity(db, id, generation))
  yield* database.flush
  yield* writeMark(directory, { format: folderFormat, id, generation, open }).pipe(
    Effect.catch((error) => Effect.logWarning(`sluice.json cannot be written: ${error.message}`))
  )
})

/** The identity of the database that was found, or a new one, with a generation higher than any that is there. */
const nextIdentity = Effect.fnUntraced(function* ({ identity, mark }: FolderFound) {
  const random = yield* SecureRandom.SecureRandom
  return {
    id: identity?.id ?? (yield* random.uuidV7()),
    generation: Math.max(identity?.generation ?? 0, mark?.generation ?? 0) + 1
  }
})

const cannotMark = (directory: string) =>
  Effect.mapError(
    (cause: Error) =>
      new DataDirectoryUnusable({ directory, detail: `its database cannot be written (${rootCause(cause)})` })
  )

/** Marks the folder as in use by a server for as long as the layer lives. Brings the tables up to date first. */
export const layer = (directory: string, found: FolderFound) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      yield* migrate
      const identity = yield* nextIdentity(found)
      yield* Effect.acquireRelease(advance(directory, identity, true), () =>
        Effect.ignore(advance(directory, { ...identity, generation: identity.generation + 1 }, false))
      )
    }).pipe(cannotMark(directory))
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))

/**
 * Makes the database that is there the folder's own. Blobs that it put into files and that nothing refers to count as unknown
 * from then on: a later database may have given them one. The key that the next server brings is the one that seals.
 */
export const adopt = Effect.fnUntraced(function* (directory: string, found: FolderFound) {
  yield* migrate
  const database = yield* SqliteDatabase
  yield* database.use("adopt blobs", (db) => {
    db.run(
      `DELETE FROM known_blobs WHERE NOT EXISTS (SELECT 1 FROM documents WHERE blob = known_blobs.hash)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = known_blobs.hash)`
    )
    forgetKey(db)
  })
  yield* advance(directory, yield* nextIdentity(found), false)
})
