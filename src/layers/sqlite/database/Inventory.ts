/** Compares what documents and artifacts refer to with what lies in files. */
import { type Stats, stat } from "node:fs"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { call } from "../../blobs/Files.ts"
import { text } from "../../rows/documentRows.ts"
import { SqliteDatabase, type Statements } from "./SqliteDatabase.ts"

/** Blobs checked in one turn of the connection. */
const portion = 500

/** Each table is read only as far as the portion goes. */
const firstInFiles = (table: string) => `
  SELECT blob FROM (
    SELECT DISTINCT blob FROM ${table} WHERE blob > ?1 AND blob NOT IN (SELECT hash FROM blobs) ORDER BY blob LIMIT ?2
  )`

/** Of blobs that are not in the database itself. */
const inFilesAfter = (db: Statements, hash: string) =>
  db
    .all(["documents", "artifacts"].map(firstInFiles).join(" UNION ") + " ORDER BY blob LIMIT ?2", hash, portion)
    .map((row) => text(row, "blob"))

const isReferred = (db: Statements, hash: string) =>
  db.get("SELECT 1 FROM documents WHERE blob = ?1 UNION ALL SELECT 1 FROM artifacts WHERE blob = ?1 LIMIT 1", hash) !==
  undefined

const isThere = (directory: string, hash: string) =>
  call<Stats>((done) => stat(join(directory, "blobs", hash.slice(0, 2), hash), done)).pipe(
    Effect.map((stats) => stats.isFile()),
    Effect.orElseSucceed(() => false)
  )

export interface Missing {
  readonly originals: number
  readonly example: string | undefined
}

/** Originals and contents of artifacts that are referred to and that are not in the folder. */
export const missingOriginals = Effect.fnUntraced(function* (directory: string) {
  const database = yield* SqliteDatabase
  let originals = 0
  let example: string | undefined
  let after = ""
  for (;;) {
    const hashes = yield* database.use("list originals", (db) => inFilesAfter(db, after))
    for (const hash of hashes) {
      if (yield* isThere(directory, hash)) continue
      // What referred to it may have been removed meanwhile.
      if (!(yield* database.use("look for a blob's documents", (db) => isReferred(db, hash)))) continue
      originals++
      example ??= hash
    }
    const last = hashes.at(-1)
    if (last === undefined || hashes.length < portion) return { originals, example } satisfies Missing
    after = last
  }
})

const tell = ({ example, originals }: Missing) =>
  originals === 0
    ? Effect.void
    : Effect.logWarning(
        "originals of documents are missing, or what their stages have made: documents that need them will end as BLOB_LOST; put blobs back from a backup, or upload them again"
      ).pipe(Effect.annotateLogs({ originals, example }))

/** Checks once, in the background, and logs what is missing. */
export const layer = (directory: string) =>
  Layer.effectDiscard(
    missingOriginals(directory).pipe(
      Effect.flatMap(tell),
      Effect.catch((error) => Effect.logWarning("the originals could not be looked through", error)),
      Effect.forkScoped
    )
  )
