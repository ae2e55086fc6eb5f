/**
 * Moves the documents of a data folder into Postgres (`sluice migrate`).
 *
 * The folder is held, so no server changes it; a mark in it keeps servers away until the end, also if the move is killed. Rows
 * are copied in the order of their keys, and how far each table has come is committed with them, so the next run goes on there.
 * At the end both databases are read again and compared. Then servers may start on Postgres, and on the folder none may any more.
 */
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { Context, Effect, Layer, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { Secrets } from "../../services/secrets/Secrets.ts"
import type { GivenKey } from "../config/SecretKeyConfig.ts"
import { DataDirectoryUnusable, holdDataDirectory } from "../folder/DataDirectory.ts"
import { checkFolder, databasePath } from "../folder/FolderCheck.ts"
import { checkOf } from "../KeyRecord.ts"
import * as Connection from "../postgres/database/Connection.ts"
import { PostgresDatabase } from "../postgres/database/PostgresDatabase.ts"
import { movedName, moveStateOf, writeMoveState } from "../postgres/storage/FolderMark.ts"
import { enterMove, findMove, hasServers, usedTable } from "../postgres/storage/FolderMove.ts"
import { register } from "../postgres/storage/KnownBlobs.ts"
import * as PostgresKey from "../postgres/storage/SealingKey.ts"
import { adoptPlace } from "../postgres/storage/SharedFolder.ts"
import * as SecretKeyFile from "../SecretKeyFile.ts"
import * as FolderIdentity from "../sqlite/database/FolderIdentity.ts"
import { layer as sqliteLayer } from "../sqlite/database/SqliteClient.ts"
import { SqliteDatabase } from "../sqlite/database/SqliteDatabase.ts"
import * as SqliteKey from "../sqlite/keys/SealingKey.ts"
import { compareTable, copyTable } from "./CopyTables.ts"
import { finishInDatabase, retireFolder } from "./FinishMove.ts"
import { moveOriginals } from "./MoveOriginals.ts"
import { MoveRefused } from "./MoveRefused.ts"
import { openPlace, type Place } from "./Places.ts"
import { cannotRead } from "./Source.ts"
import { tables } from "./Tables.ts"

export interface MoveOptions {
  readonly directory: string
  readonly url: Redacted.Redacted
  readonly givenKey: GivenKey | undefined
  readonly source: Place
  readonly target: Place
  /** Told what is being done, for a person who waits. */
  readonly tell: (line: string) => Effect.Effect<void>
}

const connections = 6

export const connectionTo = (url: Redacted.Redacted) => Connection.layer({ url, connections, name: "sluice migrate" })

const identityOf = Effect.flatMap(SqliteDatabase, (database) =>
  database
    .use("read the folder's identity", (db) => String(db.get("SELECT id FROM data_folder")?.["id"]))
    .pipe(cannotRead)
)

/** Refuses a database that is another's. Answers whether everything is in it already. */
const begin = Effect.fnUntraced(function* (directory: string) {
  const { transact } = yield* PostgresDatabase
  const identity = yield* identityOf
  const isFinished = yield* transact("begin the move", (db) =>
    Effect.gen(function* () {
      yield* db.all("LOCK TABLE folder_move IN EXCLUSIVE MODE")
      const move = yield* findMove(db)
      if (move?.identity === identity) return move.isFinished
      if (move !== undefined) {
        return yield* new MoveRefused({
          detail: `the documents of another folder, ${move.folder}, were moved into this database; use an empty one`
        })
      }
      const used = yield* usedTable(db)
      if (used !== undefined) {
        return yield* new MoveRefused({
          detail: `the database is in use: its table ${used} is not empty. Documents are moved into an empty one only`
        })
      }
      if (yield* hasServers(db)) {
        return yield* new MoveRefused({
          detail: "servers are connected to the database; stop them first, and start them when the move has ended"
        })
      }
      yield* enterMove(db, identity, resolve(directory))
      return false
    })
  )
  if (!isFinished) yield* writeMoveState(directory, "begun")
  return isFinished
})

/** The key stays what it is; the database gets its check value, so that no server starts with another one. */
const moveKey = Effect.fnUntraced(function* (directory: string, givenKey: GivenKey | undefined) {
  const built = yield* Layer.build(
    SecretKeyFile.layer({ directory, given: givenKey, record: yield* SqliteKey.keyRecord })
  )
  const check = yield* checkOf(Context.get(built, Secrets))
  const record = yield* PostgresKey.replacingRecord
  yield* record.enter(check)
  return givenKey?.place ?? join(resolve(directory), "secret.key")
})

/** Copies everything, and compares it. */
const copyAll = Effect.fnUntraced(function* ({ directory, source, target, tell }: MoveOptions) {
  const from = yield* openPlace(directory, source, undefined)
  const registered = yield* register
  const to = yield* openPlace(directory, target, registered)
  for (const table of tables) yield* tell(`${table.name}: ${yield* copyTable(table)} rows are in Postgres`)
  const originals = yield* moveOriginals({
    source: from,
    target: to,
    register: registered,
    stays: source.text === target.text
  })
  yield* tell(`originals: ${originals.stored} are stored in ${target.text}, ${originals.kept} are there already`)
  const compared = yield* Effect.forEach(tables, compareTable)
  yield* tell("all rows were read again from both, and are the same")
  return { originals, tables: compared }
})

const adoptTarget = (directory: string, { settings, text }: Place) =>
  settings?._tag === "Bucket" ? adoptPlace(directory, text) : adoptPlace(settings?.folder ?? directory, undefined)

const inDatabases = Effect.fnUntraced(function* (options: MoveOptions) {
  const { directory, givenKey, target } = options
  if (yield* begin(directory)) return undefined
  const key = yield* moveKey(directory, givenKey)
  const moved = yield* copyAll(options)
  yield* adoptTarget(directory, target)
  yield* finishInDatabase
  return { ...moved, key }
})

const retire = ({ directory, source, target }: MoveOptions) =>
  retireFolder(directory, source.settings === undefined && target.settings !== undefined && source.text !== target.text)

/** An earlier run came to its end, and was killed before it said so. */
const isRetired = (directory: string) =>
  moveStateOf(directory) === "begun" &&
  !existsSync(databasePath(directory)) &&
  existsSync(join(directory, movedName("sluice.db")))

/** What was moved by this run; undefined if an earlier one had moved everything. */
export const moveFolder = Effect.fnUntraced(function* (options: MoveOptions) {
  const { directory, url } = options
  yield* holdDataDirectory(directory)
  if (moveStateOf(directory) === "finished") return undefined
  if (isRetired(directory)) {
    yield* retire(options)
    return undefined
  }
  const found = yield* checkFolder(directory)
  if (found.identity === undefined && found.warning !== undefined)
    return yield* new DataDirectoryUnusable({ directory, detail: found.warning })
  const sqlite = Layer.provideMerge(
    FolderIdentity.layer(directory, found),
    sqliteLayer({ filename: databasePath(directory) })
  )
  // Closed before the database is renamed: its log is brought into it.
  const moved = yield* inDatabases(options).pipe(
    Effect.provide(Layer.mergeAll(sqlite, connectionTo(url), SecureRandom.layerWebCrypto)),
    Effect.scoped
  )
  yield* retire(options)
  return moved
}, Effect.scoped)
