import { chmod, existsSync, lstat, open, type Stats } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, Schema } from "effect"
import { call, closeFile, directoryMode, fileMode, makeDirectory } from "../blobs/Files.ts"

/** The data folder cannot be made, another process works in it, or its contents are not safe to work with. */
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

/** Whether another process holds the folder now. Creates nothing; a folder that cannot be read counts as free. */
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
/** The innermost message of an error: what the system or SQLite itself said. */
export const rootCause = (error: unknown): string => {
  const below =
    typeof error !== "object" || error === null
      ? undefined
      : "reason" in error && typeof error.reason === "object"
        ? error.reason
        : "cause" in error
          ? error.cause
          : undefined
  if (below !== undefined && below !== null) return rootCause(below)
  return error instanceof Error ? error.message : String(error)
}

const unusable = (directory: string, detail: string) => new DataDirectoryUnusable({ directory, detail })

/** What the folder may contain. The key is not listed: one that others could read has to be replaced. */
const ownFiles = ["lock", "sluice.json", "sluice.db", "sluice.db-wal", "sluice.db-shm", "reserve"]
const ownFolders = ["blobs", "tmp"]

const lstatFile = (path: string) => call<Stats>((done) => lstat(path, done))

/** Takes the access of others away; answers whether they had any. A missing file, or a link to elsewhere, is left as it is. */
const tighten = (path: string, mode: number) =>
  lstatFile(path).pipe(
    Effect.flatMap((stats) =>
      stats.isSymbolicLink() || (stats.mode & 0o077) === 0
        ? Effect.succeed(false)
        : Effect.as(
            call((done) => chmod(path, mode, (error) => done(error))),
            true
          )
    ),
    Effect.orElseSucceed(() => false)
  )

/** In a folder that was made beforehand, or by an older release, files may be open to others on the machine. */
const tightenAll = Effect.fnUntraced(function* (directory: string) {
  // Windows keeps its permissions elsewhere.
  if (process.platform === "win32") return
  const tightened: Array<string> = []
  for (const [names, mode] of [
    [ownFiles, fileMode],
    [ownFolders, directoryMode]
  ] as const) {
    for (const name of names) if (yield* tighten(join(directory, name), mode)) tightened.push(name)
  }
  if (tightened.length > 0)
    yield* Effect.logWarning("files in the data folder could be read by others; now only their owner can").pipe(
      Effect.annotateLogs({ directory, files: tightened.join(", ") })
    )
})

/** SQLite lets everyone read a file that it creates, and gives its log and its index the mode of the database. */
export const makePrivate = (path: string) =>
  Effect.acquireUseRelease(
    call<number>((done) => open(path, "a", fileMode, done)),
    () => Effect.void,
    closeFile
  )

/**
 * Makes the folder and holds it until the scope ends: limits, locks of blobs and keys in use are known to one process only, so
 * two must not share it. The lock is one of SQLite's, which the operating system releases when the process ends, however it
 * ends.
 */
export const holdDataDirectory = Effect.fnUntraced(function* (directory: string) {
  yield* makeDirectory(directory).pipe(
    Effect.mapError((cause) => unusable(directory, `it cannot be made (${cause.message})`))
  )
  const path = join(directory, "lock")
  yield* makePrivate(path).pipe(
    Effect.mapError((cause) => unusable(directory, `it cannot be written (${cause.message})`))
  )
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        const lock = new DatabaseSync(path, { timeout: 0 })
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
  yield* tightenAll(directory)
})
