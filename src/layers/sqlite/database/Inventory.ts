/** Compares what documents refer to with what lies in files. */
import { type Stats, stat } from "node:fs"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { call } from "../../blobs/Files.ts"
import { text } from "../../rows/documentRows.ts"
import { SqliteDatabase, type Statements } from "./SqliteDatabase.ts"

/** Blobs checked in one turn of the connection. */
const portion = 500

/** Of blobs that are not in the database itself. */
const inFilesAfter = (db: Statements, hash: string) =>
  db
    .all(
      `SELECT DISTINCT blob FROM documents d WHERE blob > ?
        AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.hash = d.blob) ORDER BY blob LIMIT ?`,
      hash,
      portion
    )
    .map((row) => text(row, "blob"))

const isReferred = (db: Statements, hash: string) =>
  db.get("SELECT 1 FROM documents WHERE blob = ? LIMIT 1", hash) !== undefined

const isThere = (directory: string, hash: string) =>
  call<Stats>((done) => stat(join(directory, "blobs", hash.slice(0, 2), hash), done)).pipe(
    Effect.map((stats) => stats.isFile()),
    Effect.orElseSucceed(() => false)
  )

export interface Missing {
  readonly originals: number
  readonly example: string | undefined
}

/** Originals that documents refer to and that are not in the folder. */
export const missingOriginals = Effect.fnUntraced(function* (directory: string) {
  const database = yield* SqliteDatabase
  let originals = 0
  let example: string | undefined
  let after = ""
  for (;;) {
    const hashes = yield* database.use("list originals", (db) => inFilesAfter(db, after))
    for (const hash of hashes) {
      if (yield* isThere(directory, hash)) continue
      // Its document may have been removed meanwhile.
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
        "originals of documents are missing: those that need them will end as BLOB_LOST; put blobs back from a backup, or upload them again"
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
