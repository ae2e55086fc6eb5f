/** Finds out whether originals and results can be stored: by test writes, and by the free space of the folder's disk. */
import { ByteSize, Effect, Layer } from "effect"
import { StorageFull, StorageHealth } from "../../../services/StorageHealth.ts"
import { freeAt, MinFreeBytes } from "../../folder/DiskReserve.ts"
import { fresh, reasonOf, writeFile } from "../../folder/StorageHealth.ts"
import { PostgresDatabase } from "../database/PostgresDatabase.ts"

const make = Effect.fnUntraced(function* (
  directory: string,
  /** Tries to store an original; a file in the folder when absent. */
  tryOriginal: Effect.Effect<unknown, Error> = writeFile(directory)
) {
  const { run } = yield* PostgresDatabase
  const least = ByteSize.toNumberUnsafe(yield* MinFreeBytes)
  const free = yield* Effect.cachedWithTTL(
    Effect.orElseSucceed(freeAt(directory), () => Number.POSITIVE_INFINITY),
    "250 millis"
  )
  const checkRoom = (bytes: number) =>
    Effect.flatMap(free, (there) =>
      there - bytes >= least ? Effect.void : Effect.fail(new StorageFull({ freeBytes: there, reserveBytes: least }))
    )
  const writeRow = run("see whether it can be written", (db) =>
    db.all("UPDATE data_folder SET checked_at = store_now()")
  )
  const look = Effect.all(
    [
      reasonOf("the database cannot be written")(writeRow),
      reasonOf("originals cannot be written")(tryOriginal),
      reasonOf("the disk is full")(checkRoom(0))
    ],
    { concurrency: "unbounded" }
  ).pipe(Effect.map((found) => found.flat()))
  return { obstacles: yield* Effect.cachedWithTTL(look, fresh), checkRoom }
})

export const layer = (directory: string, tryOriginal?: Effect.Effect<unknown, Error>) =>
  Layer.effect(StorageHealth, make(directory, tryOriginal))
