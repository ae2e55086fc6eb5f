import { dirname, join, resolve } from "node:path"
import { statfs, type StatsFs } from "node:fs"
import { pid } from "node:process"
import { Clock, Effect, FileSystem } from "effect"
import { isHeldDirectory } from "../../layers/folder/DataDirectory.ts"
import { call, syncDirectory } from "../../layers/blobs/Files.ts"
import { compareFolder, examineFolder } from "../../layers/folder/FolderCheck.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"
import { sizeOf } from "./Size.ts"

/** The folder, or its nearest existing parent: a check creates no folder. */
const existing = (path: string): Effect.Effect<string, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const there = yield* Effect.orElseSucceed(files.exists(path), () => false)
    return there || dirname(path) === path ? path : yield* existing(dirname(path))
  })

const samples = 5

const timed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const before = yield* Clock.currentTimeNanos
  yield* effect
  return Number((yield* Clock.currentTimeNanos) - before) / 1e6
})

/** A flush slower than this is a warning: every upload waits for a few of them. */
const slowMillis = 50

/** Checks that files can be written to the folder, and how long a flush to the disk takes. */
export const checkFolder = Effect.fnUntraced(function* (directory: string) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* existing(resolve(directory))
  if (yield* isHeldDirectory(resolve(directory))) {
    return fail(
      "data folder",
      `${folder} is in use: another Sluice works in it`,
      "Stop that one before you start another, or set DATA_DIR to another folder."
    )
  }
  const probe = join(folder, `.sluice-doctor-${pid}`)
  const write = Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => Effect.ignore(files.remove(probe, { force: true })))
      const file = yield* files.open(probe, { flag: "wx" })
      const times: Array<number> = []
      for (let n = 0; n < samples; n++) {
        yield* file.writeAll(new Uint8Array(4096))
        times.push(yield* timed(file.sync))
      }
      yield* syncDirectory(folder)
      return times.toSorted((a, b) => a - b)[Math.floor(samples / 2)] ?? 0
    })
  )
  return yield* Effect.match(write, {
    onSuccess: (median): Finding => {
      const detail = `${folder} can be written; fsync takes ${median.toFixed(1)} ms`
      return median > slowMillis
        ? warn("data folder", detail, "Uploads wait for it: use a faster disk for DATA_DIR, not a network share.")
        : ok("data folder", detail)
    },
    onFailure: (error) =>
      fail(
        "data folder",
        `${folder}: ${error.message}`,
        "Set DATA_DIR to a folder on a local disk that this user may write."
      )
  })
})

const leastBytes = 512 * 1024 * 1024
const fewBytes = 5 * 1024 * 1024 * 1024

export const judgeDisk = (free: number): Finding => {
  const detail = `${sizeOf(free)} free for blobs and results`
  const advice = "Free some, or set DATA_DIR to a larger disk; RETENTION removes what is old."
  if (free < leastBytes) return fail("disk", detail, advice)
  return free < fewBytes ? warn("disk", detail, advice) : ok("disk", detail)
}

export const checkDisk = Effect.fnUntraced(function* (directory: string) {
  const folder = yield* existing(resolve(directory))
  return yield* Effect.match(
    call<StatsFs>((done) => statfs(folder, done)),
    {
      onSuccess: ({ bavail, bsize }) => judgeDisk(bavail * bsize),
      onFailure: ({ message }) => warn("disk", `the free space is not known: ${message}`, "Check it yourself.")
    }
  )
})

const adopting =
  "Put back the database that belongs there, from a backup; or let a server start with what is there: sluice storage adopt."

/**
 * Checks whether the database and the originals in the folder belong together. May run while a server uses the folder. Originals
 * that are kept elsewhere (`BLOBS`) are not looked through.
 */
export const checkContents = (directory: string, areElsewhere: boolean) =>
  Effect.gen(function* () {
    const { mismatch, warning } = yield* examineFolder(directory)
    if (mismatch !== undefined) return fail("originals", mismatch, adopting)
    if (areElsewhere) return ok("originals", "they are where BLOBS says, and are not compared with the database")
    const { missing, unknown } = yield* compareFolder(directory)
    if (missing > 0)
      return fail(
        "originals",
        `${missing} originals of documents are missing`,
        "Put blobs back from a backup, or upload them again; until then such documents end as BLOB_LOST."
      )
    if (warning !== undefined) return warn("originals", warning, "Check whether the last documents are there.")
    return unknown > 0
      ? warn(
          "originals",
          `${unknown} originals have no document`,
          "Uploads under way may be among them. They are kept if this database did not store them: sluice storage discard."
        )
      : ok("originals", "every original in a file has its document, and every document its original")
  }).pipe(
    Effect.catch((error) =>
      Effect.succeed(fail("originals", error.message, "A server would not start on this folder."))
    )
  )
