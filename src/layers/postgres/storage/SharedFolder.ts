/**
 * The place of the originals of a database's documents: a folder, or a bucket. One machine keeps the folder on its disk, several
 * share it: a machine with another folder would not find what the others have stored. So the database and the folder name each
 * other, and a start compares the two names. Nothing locks the folder: what processes have to know of each other is in the database.
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

const isBucket = (name: string) => name.startsWith("s3://")

/** Why a folder without a name cannot hold the originals of a database that has some. */
const foreignFolder = (known: string) =>
  isBucket(known)
    ? `the originals of this database are in ${known}; set BLOBS to that place. If they were copied into this folder, run \`sluice storage adopt\``
    : `it is not the folder with the originals of this database: all machines have to share one folder (NFS, for instance). If it is that folder, restored without its ${markName}, write {"database":"${known}"} into that file`

const insertSql = "INSERT INTO data_folder (place, id) VALUES ($1, $2)"

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
  if (known !== undefined && row["used"] === true) return yield* refuse(directory, foreignFolder(known))
  if (known !== undefined && !isBucket(known)) return known
  yield* db.all("DELETE FROM data_folder")
  yield* db.all(insertSql, int8(1), fresh)
  return fresh
})

const writeMark = (directory: string, database: string) =>
  Effect.try({
    try: () =>
      writeFileSync(join(directory, markName), `${JSON.stringify({ database })}\n`, { mode: fileMode, flush: true }),
    catch: (cause) => new DataDirectoryUnusable({ directory, detail: `it cannot be written (${String(cause)})` })
  }).pipe(Effect.andThen(Effect.ignore(syncDirectory(directory))))

const makeFolder = (directory: string) =>
  Effect.mapError(
    makeDirectory(directory),
    (cause) => new DataDirectoryUnusable({ directory, detail: `it cannot be made (${cause.message})` })
  )

/** Makes the folder if need be. One with the documents of a server without `DATABASE_URL` is refused. */
export const prepareFolder = Effect.fnUntraced(function* (directory: string) {
  yield* makeFolder(directory)
  if (existsSync(join(directory, "sluice.db"))) {
    return yield* refuse(
      directory,
      "it holds the documents of a server without DATABASE_URL (sluice.db); use another folder, start without DATABASE_URL, or move " +
        "the documents into the database: sluice migrate"
    )
  }
})

const markIn = Effect.fnUntraced(function* (directory: string) {
  const marked = Result.try(() => readMark(join(directory, markName)))
  return Result.isSuccess(marked)
    ? marked.success
    : yield* refuse(directory, `${markName} cannot be read (${String(marked.failure)})`)
})

/** Makes the folder if need be, and sees to it that it is the one of the database. */
export const claimFolder = Effect.fnUntraced(function* (directory: string) {
  const random = yield* SecureRandom.SecureRandom
  const { transact } = yield* PostgresDatabase
  yield* prepareFolder(directory)
  const marked = yield* markIn(directory)
  const fresh = yield* random.uuidV7()
  const name = yield* transact("compare the data folder", (db) => compare(db, directory, marked, fresh))
  if (name !== undefined) yield* writeMark(directory, name)
})

/**
 * For originals in a bucket: each machine has a folder of its own, which holds the cache. The database names the bucket, so that
 * no machine looks for originals elsewhere.
 */
export const claimBucket = Effect.fnUntraced(function* (directory: string, place: string) {
  const { transact } = yield* PostgresDatabase
  yield* transact("compare the place of originals", (db) =>
    Effect.gen(function* () {
      yield* db.all(oneAtATime)
      const row = (yield* db.get(stateSql)) ?? {}
      const known = optionalText(row, "id")
      if (known === place) return
      if (known !== undefined && row["used"] === true) {
        const before = isBucket(known) ? `in ${known}` : "with a data folder"
        return yield* refuse(
          directory,
          `BLOBS is ${place}, and the originals of this database were kept ${before} so far. If they are in ${place} now, run \`sluice storage adopt\``
        )
      }
      yield* db.all("DELETE FROM data_folder")
      yield* db.all(insertSql, int8(1), place)
    })
  )
})

/**
 * Makes the present place of originals the database's own, whatever it was before: the bucket, or else the folder. Removes
 * nothing.
 */
export const adoptPlace = Effect.fnUntraced(function* (directory: string, bucket: string | undefined) {
  const random = yield* SecureRandom.SecureRandom
  const { transact } = yield* PostgresDatabase
  if (bucket === undefined) yield* makeFolder(directory)
  const place = bucket ?? (yield* markIn(directory)) ?? (yield* random.uuidV7())
  yield* transact("adopt the place of originals", (db) =>
    Effect.gen(function* () {
      yield* db.all(oneAtATime)
      yield* db.all("DELETE FROM data_folder")
      yield* db.all(insertSql, int8(1), place)
    })
  )
  if (bucket === undefined) yield* writeMark(directory, place)
})
