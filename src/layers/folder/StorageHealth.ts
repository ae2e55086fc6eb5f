/** Finds out whether originals and results can be stored: by a test write, and by the free space that the system reports. */
import { open, unlink, write } from "node:fs"
import { join } from "node:path"
import { Clock, Effect, Exit, Layer } from "effect"
import { StorageFull, StorageHealth } from "../../services/StorageHealth.ts"
import { rootCause } from "./DataDirectory.ts"
import type { DiskReserve, Space } from "./DiskReserve.ts"
import { call, closeFile, fileMode, syncFile } from "../blobs/Files.ts"
import { mostBytes } from "../blobs/SmallBlobs.ts"
import { GroupCommit } from "../sqlite/database/GroupCommit.ts"
import { SqliteDatabase, type Statements } from "../sqlite/database/SqliteDatabase.ts"

/** A check that takes longer than this has failed. */
const patience = "2 seconds"
/** How long a result is reused. */
export const fresh = "5 seconds"

export const reasonOf =
  (what: string) =>
  <E>(effect: Effect.Effect<unknown, E>): Effect.Effect<ReadonlyArray<string>> =>
    effect.pipe(
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new Error(`it takes longer than ${patience}`))
      }),
      Effect.match({ onSuccess: () => [], onFailure: (error) => [`${what}: ${rootCause(error)}`] })
    )

export const writeFile = (directory: string) => {
  const path = join(directory, "tmp", "written-to-see-whether-it-can-be")
  return Effect.acquireUseRelease(
    call<number>((done) => open(path, "w", fileMode, done)),
    (descriptor) =>
      Effect.andThen(
        call<number>((done) => write(descriptor, new Uint8Array(4096), done)),
        syncFile(descriptor)
      ),
    (descriptor) => Effect.andThen(closeFile(descriptor), Effect.ignore(call((done) => unlink(path, done))))
  )
}

const pragma = (db: Statements, name: string) => Number(db.get(`PRAGMA ${name}`)?.[name] ?? 0)

const make = Effect.fnUntraced(function* (
  directory: string,
  reserve: DiskReserve,
  /** Tries to store an original; a file in the data folder when absent. */
  tryOriginal: Effect.Effect<unknown, Error> = writeFile(directory)
) {
  const database = yield* SqliteDatabase
  const commit = yield* GroupCommit

  /** Free pages in the database, left by removed documents: new rows need no other space. */
  const freeInDatabase = Effect.orElseSucceed(
    database.use("count free pages", (db) => pragma(db, "freelist_count") * pragma(db, "page_size")),
    () => 0
  )

  const checkDatabase = Effect.fnUntraced(function* (bytes: number, { free, least }: Space) {
    const fitsDatabase = bytes <= mostBytes && (yield* freeInDatabase) - bytes >= least
    if (!fitsDatabase) return yield* new StorageFull({ freeBytes: free, reserveBytes: least })
  })
  const checkRoom = (bytes: number) =>
    Effect.flatMap(reserve.space, (space) =>
      space === undefined || space.free - bytes >= space.least ? Effect.void : checkDatabase(bytes, space)
    )

  const writeRow = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    commit("see whether it can be written", (db) => {
      db.run("UPDATE data_folder SET checked_at = ?", now)
      return Exit.void
    })
  )

  const damage = Effect.sync(() => {
    const said = database.damage()
    return said === undefined ? [] : [`the database is damaged: ${said}`]
  })

  const check = Effect.all(
    [
      damage,
      reasonOf("the database cannot be written")(writeRow),
      reasonOf("originals cannot be written")(tryOriginal),
      reasonOf("the disk is full")(checkRoom(0))
    ],
    { concurrency: "unbounded" }
  ).pipe(Effect.map((found) => found.flat()))

  return { obstacles: yield* Effect.cachedWithTTL(check, fresh), checkRoom }
})

export const layer = (...options: Parameters<typeof make>) => Layer.effect(StorageHealth, make(...options))
