// Files that are being written, in a folder of their own: they are renamed when they are complete, or removed.
import { createHash } from "node:crypto"
import { closeSync, open, type Stats } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { Clock, Effect, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobHash } from "../../domain/Ids.ts"
import { type BlobStoreUnavailable, BlobTooLarge } from "../../services/BlobStore.ts"
import { attempt, failing, unlessMissing } from "./FileFailures.ts"
import { call, fileMode, readNames, statFile, unlinkFile, writeAll } from "./Files.ts"

export interface TemporaryFile {
  readonly path: string
  readonly descriptor: number
  /** It has been renamed: nothing is left under its path. */
  named: boolean
}

/**
 * Lends out files whose names show which process writes them. A file that has not been renamed when its use ends is removed.
 */
export const makeTemporaryFiles = Effect.fnUntraced(function* (directory: string) {
  const random = yield* SecureRandom.SecureRandom
  const create = Effect.gen(function* () {
    const suffix = Buffer.from(yield* random.randomBytes(12)).toString("hex")
    const path = join(directory, `${hostname()}.${process.pid}.${suffix}`)
    const descriptor = yield* call<number>((done) => open(path, "wx", fileMode, done))
    const file: TemporaryFile = { path, descriptor, named: false }
    return file
  }).pipe(failing("create a file"))

  return <A, E, R>(use: (file: TemporaryFile) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(create, use, (file) =>
      Effect.andThen(
        Effect.ignore(attempt(() => closeSync(file.descriptor))),
        file.named ? Effect.void : Effect.ignore(unlinkFile(file.path))
      )
    )
})
export type WithTemporary = Effect.Success<ReturnType<typeof makeTemporaryFiles>>

/** Writes the stream into the file and hashes it. It stops at the limit, in bytes. */
export const writeHashed = Effect.fnUntraced(function* <E, R>(
  { descriptor }: TemporaryFile,
  bytes: Stream.Stream<Uint8Array, E, R>,
  limit: number
) {
  const digest = createHash("sha256")
  let size = 0
  yield* Stream.runForEachArray(bytes, (chunks): Effect.Effect<void, BlobTooLarge | BlobStoreUnavailable> => {
    const chunk = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    size += chunk.length
    if (size > limit) return Effect.fail(new BlobTooLarge({ limit }))
    // The digest is computed while the disk is busy with the same chunk.
    return writeAll(descriptor, chunk, () => digest.update(chunk)).pipe(failing("write a blob"))
  })
  return { hash: BlobHash.make(digest.digest("hex")), size }
})

/** A file in tmp that was not written to for so long is abandoned, whichever process made it. */
const abandonedMillis = 3_600_000

/** Removes what crashed writers left: files of this host whose process is gone, and files that were idle for long. */
export const removeAbandoned = Effect.fnUntraced(function* (temporary: string) {
  const now = yield* Clock.currentTimeMillis
  for (const name of yield* readNames(temporary)) {
    const path = join(temporary, name)
    const isAbandoned = (stats: Stats) => now - stats.mtimeMs > abandonedMillis || isOrphan(name, stats.mtimeMs)
    yield* statFile(path).pipe(
      Effect.flatMap((stats) => (isAbandoned(stats) ? unlinkFile(path) : Effect.void)),
      // Another store that starts on the same directory was faster.
      unlessMissing(() => undefined)
    )
  }
})

/** Whether the process that the name `host.pid.suffix` tells of is gone; a process of this id may be an earlier one. */
export const isOrphan = (name: string, mtimeMs: number) => {
  const [host, pid] = splitOwner(name)
  if (host !== hostname()) return false
  return pid === process.pid ? mtimeMs < performance.timeOrigin : !isAlive(pid)
}

const splitOwner = (name: string): readonly [host: string, pid: number] => {
  const parts = name.split(".")
  return [parts.slice(0, -2).join("."), Number(parts.at(-2))]
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code !== "ESRCH"
  }
}
