import { existsSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, Schema } from "effect"
import { makeDirectory } from "./Files.ts"

/** The data folder cannot be made, or another process works in it. */
export class DataDirectoryUnusable extends Schema.TaggedError<DataDirectoryUnusable>()("DataDirectoryUnusable", {
  directory: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `DATA_DIR ${this.directory}: ${this.detail}`
  }
}

const lockFile = "lock"
const isLocked = (cause: unknown) => cause instanceof Error && /locked/.test(cause.message)

/** Whether another process holds the folder now. Makes nothing; a folder that cannot be looked at counts as free. */
export const isHeldDirectory = (directory: string): Effect.Effect<boolean> =>
  Effect.try({
    try: () => {
      const path = join(directory, lockFile)
      if (!existsSync(path)) return false
      const lock = new DatabaseSync(path, { timeout: 0 })
      try {
        lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; ROLLBACK")
        return false
      } finally {
        lock.close()
      }
    },
    catch: isLocked
  }).pipe(Effect.catch((held) => Effect.succeed(held)))

const unusable = (directory: string, detail: string) => new DataDirectoryUnusable({ directory, detail })

/**
 * Makes the folder and holds it until the scope ends: limits, locks of blobs and keys in use are known to one process only,
 * so two must not share it. The lock is one of SQLite's, which the operating system gives up with the process, however it
 * ends.
 */
export const holdDataDirectory = Effect.fnUntraced(function* (directory: string) {
  yield* makeDirectory(directory).pipe(
    Effect.mapError((cause) => unusable(directory, `it cannot be made (${cause.message})`))
  )
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        const lock = new DatabaseSync(join(directory, lockFile), { timeout: 0 })
        lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
        return lock
      },
      catch: (cause) =>
        unusable(
          directory,
          isLocked(cause)
            ? "another Sluice works in it; stop that one first, or use another folder"
            : `it cannot be locked (${String(cause)})`
        )
    }),
    (lock) => Effect.sync(() => lock.close())
  )
})
