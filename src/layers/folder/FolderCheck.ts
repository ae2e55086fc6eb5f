/**
 * Whether the database in a data folder is the one that its blobs belong to. This is checked before a server changes anything:
 * a server with the wrong database would sweep away the originals of documents that this database does not know.
 */
import { existsSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, Result, Schema } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import { DataDirectoryUnusable, rootCause } from "./DataDirectory.ts"
import { type FolderMark, folderFormat, readMark } from "./FolderMark.ts"
import { stepNames, table } from "../sqlite/database/Migrations.ts"

export const databasePath = (directory: string) => join(directory, "sluice.db")

interface Database {
  /** Numbers and names of the steps that were applied to its tables. */
  readonly steps: ReadonlyArray<{ readonly number: number; readonly name: string }>
  /** Undefined before the step that introduced it. */
  readonly identity: { readonly id: string; readonly generation: number } | undefined
  /** Whether a document or an artifact refers to a blob. */
  readonly refersTo: (hash: BlobHash) => boolean
  /** How many blobs in files documents and artifacts refer to that are not in the folder. */
  readonly missing: () => number
  readonly close: () => void
}

const Step = Schema.Struct({ migration_id: Schema.Natural, name: Schema.String })
const decodeSteps = Schema.decodeUnknownSync(Schema.Array(Step))
const decodeIdentity = Schema.decodeUnknownSync(Schema.Struct({ id: Schema.String, generation: Schema.Natural }))

export const hasTable = (database: DatabaseSync, name: string) =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined

/** Selects the blobs that documents and artifacts refer to. A database of an earlier release has no artifacts. */
export const usedBlobs = (database: DatabaseSync): string =>
  hasTable(database, "artifacts")
    ? "SELECT blob FROM documents WHERE blob IS NOT NULL UNION SELECT blob FROM artifacts WHERE blob IS NOT NULL"
    : "SELECT blob FROM documents WHERE blob IS NOT NULL"

/** Undefined if there is no database, or one without tables. Throws SQLite's error for one that it cannot read. */
const openDatabase = (path: string): Database | undefined => {
  if (!existsSync(path)) return undefined
  // Read-only: closing it must not bring the log into the database, because it may be the wrong log.
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  const content = Result.try((): Database | undefined => {
    if (!hasTable(database, table)) return undefined
    const rows = decodeSteps(database.prepare(`SELECT migration_id, name FROM ${table} ORDER BY migration_id`).all())
    if (rows.length === 0) return undefined
    const row = hasTable(database, "data_folder")
      ? database.prepare("SELECT id, generation FROM data_folder").get()
      : undefined
    const referring = database.prepare(`SELECT 1 FROM (${usedBlobs(database)}) WHERE blob = ? LIMIT 1`)
    return {
      steps: rows.map(({ migration_id: number, name }) => ({ number, name })),
      identity: row === undefined ? undefined : decodeIdentity(row),
      refersTo: (hash) => referring.get(hash) !== undefined,
      missing: () => {
        let missing = 0
        const inFiles = `SELECT blob FROM (${usedBlobs(database)}) WHERE blob NOT IN (SELECT hash FROM blobs)`
        for (const row of database.prepare(inFiles).iterate()) {
          const hash = String(row["blob"])
          if (!existsSync(join(dirname(path), "blobs", hash.slice(0, 2), hash))) missing++
        }
        return missing
      },
      close: () => database.close()
    }
  })
  if (Result.isSuccess(content) && content.success !== undefined) return content.success
  database.close()
  if (Result.isFailure(content)) throw content.failure
  return undefined
}

const isBlobHash = Schema.is(BlobHash)

/** The names of blobs in files, folder by folder. */
export function* blobsIn(directory: string): Generator<BlobHash> {
  const blobs = join(directory, "blobs")
  if (statSync(blobs, { throwIfNoEntry: false })?.isDirectory() !== true) return
  for (const folder of readdirSync(blobs, { withFileTypes: true })) {
    if (!/^[0-9a-f]{2}$/.test(folder.name) || folder.isFile()) continue
    for (const name of readdirSync(join(blobs, folder.name))) if (isBlobHash(name)) yield name
  }
}

/** Stops at the first blob. */
const holdsBlobs = (directory: string) => blobsIn(directory).next().done !== true

/** Whether there are blobs, and no document refers to any of them. */
const knowsNone = (directory: string, { refersTo }: Database) => {
  for (const hash of blobsIn(directory)) if (refersTo(hash)) return false
  return holdsBlobs(directory)
}

const wayOut =
  "Put back the database that belongs here, with its sluice.db-wal if there is one. To go on with what is there now, stop " +
  "every server and run `sluice storage adopt`, which keeps all originals; `sluice storage discard` removes those that no document knows."

/** Why the database cannot be the one of these blobs. A folder without blobs takes any database. */
const mismatch = (directory: string, database: Database | undefined, mark: FolderMark | undefined) => {
  if (!holdsBlobs(directory)) return undefined
  if (database === undefined)
    return "sluice.db is missing or empty, and blobs holds the originals of documents that only it knows"
  const { identity } = database
  if (mark === undefined) {
    return identity === undefined && knowsNone(directory, database)
      ? "sluice.db knows none of the originals in blobs: it belongs to another folder, or is older than they are"
      : undefined
  }
  if (identity === undefined) return "sluice.db was written by an older release than the one that worked here last"
  if (identity.id !== mark.id) return "sluice.db belongs to another data folder"
  if (identity.generation < mark.generation)
    return "sluice.db is older than what lies beside it: it is a copy of before, or its sluice.db-wal is missing"
  return undefined
}

/** The first step of a database that is not a step of this release. */
const unknownStep = ({ steps }: Database) => steps.find(({ name, number }) => stepNames.get(number) !== name)

const newer = (directory: string, what: string) =>
  new DataDirectoryUnusable({
    directory,
    detail: `${what}. Start the release that wrote it, or a later one; nothing was changed`
  })

export interface FolderFound {
  readonly mark: FolderMark | undefined
  readonly identity: Database["identity"]
  /** Why a server must not start before the folder was adopted. */
  readonly mismatch: string | undefined
  /** What a server logs at its start. */
  readonly warning: string | undefined
}

/** The log is removed by the last connection that closes the database, and kept by a process that is killed. */
const logMissing = (directory: string, mark: FolderMark | undefined) =>
  mark?.open === true && !existsSync(`${databasePath(directory)}-wal`)
    ? "sluice.db-wal is gone, although the last server here was killed: unless another program has opened the database since, " +
      "what was accepted last is lost"
    : undefined

const databaseMissing = (mark: FolderMark | undefined) =>
  mark === undefined ? undefined : "sluice.db is missing or empty, though servers have worked here; a new one is made"

/** Fails where `adopt` would not help either: with a damaged database, or one that a newer release wrote. */
export const examineFolder = Effect.fnUntraced(function* (directory: string) {
  const unusable = (detail: string) => new DataDirectoryUnusable({ directory, detail })
  const found = yield* Effect.mapError(readMark(directory), ({ message }) =>
    unusable(`sluice.json cannot be read (${message})`)
  )
  if (found._tag === "Newer")
    return yield* newer(directory, `it has format ${found.format}, and this release knows none after ${folderFormat}`)
  const mark = found._tag === "Found" ? found.mark : undefined
  const database = yield* Effect.acquireRelease(
    Effect.try({
      try: () => openDatabase(databasePath(directory)),
      catch: (cause) =>
        unusable(
          `sluice.db cannot be read (${rootCause(cause)}). If it is damaged, put back a copy ` +
            "from a backup; the originals in blobs are untouched"
        )
    }),
    (opened) => Effect.sync(() => opened?.close())
  )
  const unknown = database === undefined ? undefined : unknownStep(database)
  if (unknown !== undefined)
    return yield* newer(
      directory,
      `sluice.db was written by another release, whose step ${unknown.number} (${unknown.name}) this one does not know`
    )
  return yield* Effect.try({
    try: (): FolderFound => ({
      mark,
      identity: database?.identity,
      mismatch:
        found._tag === "Unreadable" && holdsBlobs(directory)
          ? "sluice.json is damaged, so nothing tells which database belongs to the originals in blobs"
          : mismatch(directory, database, mark),
      warning: database === undefined ? databaseMissing(mark) : logMissing(directory, mark)
    }),
    catch: (cause) => unusable(`it cannot be read (${rootCause(cause)})`)
  })
}, Effect.scoped)

/** How many originals have no document, and how many documents' originals are missing. Reads all of them. */
export const compareFolder = (directory: string) =>
  Effect.try({
    try: () => {
      const database = openDatabase(databasePath(directory))
      if (database === undefined) return { unknown: 0, missing: 0 }
      let unknown = 0
      for (const hash of blobsIn(directory)) if (!database.refersTo(hash)) unknown++
      const missing = database.missing()
      database.close()
      return { unknown, missing }
    },
    catch: (cause) =>
      new DataDirectoryUnusable({ directory, detail: `it cannot be looked through (${rootCause(cause)})` })
  })

/** Fails unless a server may start on the folder. */
export const checkFolder = Effect.fnUntraced(function* (directory: string) {
  const found = yield* examineFolder(directory)
  if (found.mismatch !== undefined)
    return yield* new DataDirectoryUnusable({ directory, detail: `${found.mismatch}. ${wayOut}` })
  if (found.warning !== undefined) yield* Effect.logWarning(`DATA_DIR ${directory}: ${found.warning}`)
  return found
})
