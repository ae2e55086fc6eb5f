/**
 * The folder with the originals of a database's documents. One machine keeps it on its disk, several share it: a machine with
 * another folder would not find what the others have stored. So the database and the folder name each other, and a start compares
 * the two names. Nothing locks the folder: what processes have to know of each other is in the database.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { fileMode, makeDirectory, syncDirectory } from "../../blobs/Files.ts"
import { DataDirectoryUnusable } from "../../folder/DataDirectory.ts"
import { int8 } from "../database/Parameters.ts"
import { markName } from "./FolderMark.ts"
import { PostgresDatabase, type Statements } from "../database/PostgresDatabase.ts"
import { optionalText } from "../documents/rows.ts"

const Mark = Schema.fromJsonString(Schema.Struct({ database: Schema.String }))
const decodeMark = Schema.decodeUnknownOption(Mark)

const readMark = (path: string): string | undefined =>
  existsSync(path) ? Option.getOrUndefined(decodeMark(readFileSync(path, "utf8")))?.database : undefined

/** Keeps two processes that start at once from naming the folder twice. */
const oneAtATime = "SELECT 1 FROM pg_advisory_xact_lock(5718, hashtext('folder ' || current_schema()))"
const stateSql = `
  SELECT (SELECT id FROM data_folder) AS id, EXISTS (SELECT 1 FROM documents WHERE blob IS NOT NULL) AS used`

const refuse = (directory: string, detail: string) => Effect.fail(new DataDirectoryUnusable({ directory, detail }))

/** Compares the names; answers with the name that the folder still has to get, if any. */
const compare = Effect.fnUntraced(function* (
  db: Statements,
  directory: string,
  marked: string | undefined,
  fresh: string
) {
  yield* db.all(oneAtATime)
  const row = (yield* db.get(stateSql)) ?? {}
  const known = optionalText(row, "id")
  if (known !== undefined && marked === known) return undefined
  if (marked !== undefined) {
    return yield* refuse(
      directory,
      `it holds the originals of another database than that of DATABASE_URL; name the folder that belongs to it`
    )
  }
  if (known !== undefined && row["used"] === true) {
    return yield* refuse(
      directory,
      `it is not the folder with the originals of this database: all machines have to share one folder (NFS, for instance). If it is that folder, restored without its ${markName}, write {"database":"${known}"} into that file`
    )
  }
  if (known === undefined) yield* db.all("INSERT INTO data_folder (place, id) VALUES ($1, $2)", int8(1), fresh)
  return known ?? fresh
})

const writeMark = (directory: string, database: string) =>
  Effect.try({
    try: () =>
      writeFileSync(join(directory, markName), `${JSON.stringify({ database })}\n`, { mode: fileMode, flush: true }),
    catch: (cause) => new DataDirectoryUnusable({ directory, detail: `it cannot be written (${String(cause)})` })
  }).pipe(Effect.andThen(Effect.ignore(syncDirectory(directory))))

/** Makes the folder if need be, and sees to it that it is the one of the database. */
export const claimFolder = Effect.fnUntraced(function* (directory: string) {
  const random = yield* SecureRandom.SecureRandom
  const { transact } = yield* PostgresDatabase
  yield* Effect.mapError(
    makeDirectory(directory),
    (cause) => new DataDirectoryUnusable({ directory, detail: `it cannot be made (${cause.message})` })
  )
  if (existsSync(join(directory, "sluice.db"))) {
    return yield* refuse(
      directory,
      "it holds the documents of a server without DATABASE_URL (sluice.db); use another folder, or start without DATABASE_URL"
    )
  }
  const marked = Result.try(() => readMark(join(directory, markName)))
  if (Result.isFailure(marked))
    return yield* refuse(directory, `${markName} cannot be read (${String(marked.failure)})`)
  const fresh = yield* random.uuidV7()
  const name = yield* transact("compare the data folder", (db) => compare(db, directory, marked.success, fresh))
  if (name !== undefined) yield* writeMark(directory, name)
})
