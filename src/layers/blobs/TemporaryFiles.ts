import { createHash } from "node:crypto"
import { closeSync, open, readdir, stat, type Stats, unlink, write } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { Clock, Effect, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobHash } from "../../domain/Ids.ts"
import { BlobStoreUnavailable, BlobTooLarge } from "../../services/BlobStore.ts"
import { call, fileMode } from "./Files.ts"

// Files for what is being written, in a folder of their own: `<host>.<process>.<random>`, so that what crashed writers left is
// found. A file that is complete gets another name by a rename.

export interface TemporaryFile {
  readonly path: string
  readonly descriptor: number
  /** It has got its lasting name. */
  named: boolean
}

/** A file that was not written to for so long is abandoned, whichever process made it. */
const abandonedMillis = 3_600_000

export const failing = (operation: string) =>
  Effect.mapError((cause: unknown) =>
    cause instanceof BlobStoreUnavailable
      ? cause
      : new BlobStoreUnavailable({ operation: withCode(operation, cause), cause })
  )

export const withCode = (operation: string, cause: unknown) =>
  cause instanceof Error && "code" in cause ? `${operation} (${String(cause.code)})` : operation

export const unlessMissing =
  <B>(orElse: () => B) =>
  <A, R>(effect: Effect.Effect<A, NodeJS.ErrnoException, R>) =>
    Effect.catchIf(
      effect,
      (error) => error.code === "ENOENT",
      () => Effect.sync(orElse)
    )

/** One synchronous call. */
export const attempt = <A>(run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause): NodeJS.ErrnoException =>
      cause instanceof Error ? cause : new Error("a file-system call failed", { cause })
  })

export const statFile = (path: string) => call<Stats>((done) => stat(path, done))
export const unlinkFile = (path: string) => call((done) => unlink(path, (error) => done(error)))
export const readNames = (path: string) => call<Array<string>>((done) => readdir(path, done))

/** Lends out files in the folder. A file that has got no other name when its use ends is removed. */
export const makeTemporaryFiles = Effect.fnUntraced(function* (folder: string) {
  const random = yield* SecureRandom.SecureRandom
  const create = Effect.gen(function* () {
    const suffix = Buffer.from(yield* random.randomBytes(12)).toString("hex")
    const path = join(folder, `${hostname()}.${process.pid}.${suffix}`)
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

/** The system may write less than it was given; `meanwhile` runs once, during the first write. */
const writeAll = Effect.fnUntraced(function* (descriptor: number, bytes: Uint8Array, meanwhile: () => void) {
  let written = yield* call<number>((done) => {
    write(descriptor, bytes, done)
    meanwhile()
  })
  while (written < bytes.length) {
    written += yield* call<number>((done) => write(descriptor, bytes, written, done))
  }
})

/** Removes what crashed writers left: files of this host whose process is gone, and files that were idle for long. */
export const removeAbandoned = Effect.fnUntraced(function* (folder: string) {
  const now = yield* Clock.currentTimeMillis
  for (const name of yield* readNames(folder)) {
    const path = join(folder, name)
    const isAbandoned = (stats: Stats) => now - stats.mtimeMs > abandonedMillis || isOrphan(name, stats.mtimeMs)
    yield* statFile(path).pipe(
      Effect.flatMap((stats) => (isAbandoned(stats) ? unlinkFile(path) : Effect.void)),
      // Another store that starts on the same directory was faster.
      unlessMissing(() => undefined)
    )
  }
})

const isOrphan = (name: string, mtimeMs: number) => {
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
