import { createReadStream, rename, renameSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Schema, Semaphore, type Scope, Stream } from "effect"
import { createHash } from "node:crypto"
import { BlobHash } from "../../../domain/Ids.ts"
import { attempt, failing, unlessMissing } from "../FileFailures.ts"
import { call, makeDirectory, readNames, statFile, unlinkFile } from "../Files.ts"
import { makeTemporaryFiles, removeAbandoned, type TemporaryFile } from "../TemporaryFiles.ts"
import { CacheEntries } from "./CacheEntries.ts"

// Layout: <folder>/blobs/<hash>, and <folder>/tmp for what is being written or thrown away. All of it may be removed at any
// moment while no process works with it: what is missing is fetched again.

export type BlobCache = Effect.Success<ReturnType<typeof makeBlobCache>>

const isBlobHash = Schema.is(BlobHash)

export const readFileStream = (path: string) =>
  NodeStream.fromReadable({
    evaluate: () => createReadStream(path, { highWaterMark: 256 * 1024 }),
    onError: (cause) => cause
  })

/** Runs effects of the same blob one after the other, those of others at the same time. */
export const makeHashLocks = () => {
  const locks = new Map<BlobHash, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return (hash: BlobHash) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const lock = locks.get(hash) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
          lock.users++
          locks.set(hash, lock)
          return lock
        }),
        ({ semaphore }) => semaphore.withPermit(effect),
        (lock) =>
          Effect.sync(() => {
            if (--lock.users === 0) locks.delete(hash)
          })
      )
}

const hashFile = (path: string) =>
  Effect.map(
    Stream.runFold(
      readFileStream(path),
      () => createHash("sha256"),
      (digest, chunk) => digest.update(chunk)
    ),
    (digest) => digest.digest("hex")
  )

/** The blobs in the folder, the one that was written first at the start. */
const filesIn = Effect.fnUntraced(function* (folder: string) {
  const look = (name: string) =>
    isBlobHash(name)
      ? Effect.map(statFile(join(folder, name)), ({ mtimeMs, size }) => [{ hash: name, size, mtimeMs }]).pipe(
          unlessMissing(() => [])
        )
      : Effect.succeed([])
  const found = yield* Effect.forEach(yield* readNames(folder), look, { concurrency: 16 })
  return found.flat().toSorted((a, b) => a.mtimeMs - b.mtimeMs)
})

/** Files of blobs below `folder`: at most `limit` bytes of them, besides those in use and what is being written. */
export const makeBlobCache = Effect.fnUntraced(function* (folder: string, limit: number) {
  const kept = join(folder, "blobs")
  const temporary = join(folder, "tmp")
  const entries = new CacheEntries()
  const exclusively = makeHashLocks()
  const pathOf = (hash: BlobHash) => join(kept, hash)
  let thrownAway = 0

  /** The name goes in one step with the entry: the file must not be taken from under a use that begins now. */
  const throwAway = (hash: BlobHash) =>
    attempt(() => {
      const path = join(temporary, `${hostname()}.${process.pid}.old${thrownAway++}`)
      renameSync(pathOf(hash), path)
      return path
    }).pipe(Effect.flatMap(unlinkFile), Effect.ignore)

  const makeRoom = Effect.suspend(() => Effect.forEach(entries.evict(limit), throwAway, { discard: true }))

  const keep = (file: TemporaryFile, hash: BlobHash, size: number) =>
    Effect.gen(function* () {
      yield* call((done) => rename(file.path, pathOf(hash), done))
      file.named = true
      entries.add(hash, size, true)
      yield* makeRoom
    }).pipe(Effect.uninterruptible, failing("keep a blob's file"))

  /** Whether the file in the cache is there and whole. Files of an earlier process are hashed once. */
  const isWhole = (hash: BlobHash, size: number, isChecked: boolean) =>
    Effect.gen(function* () {
      const stats = yield* statFile(pathOf(hash))
      if (!stats.isFile() || stats.size !== size) return false
      if (isChecked) return true
      if ((yield* hashFile(pathOf(hash))) !== hash) return false
      entries.check(hash)
      return true
    }).pipe(Effect.orElseSucceed(() => false))

  /**
   * The path of the blob's file, which stays there until the scope ends. One that is not there is fetched with `fetch`, which
   * has to `keep` it; calls for the same blob share one fetch.
   */
  const open = <E, R>(hash: BlobHash, fetch: Effect.Effect<void, E, R>): Effect.Effect<string, E, R | Scope.Scope> =>
    exclusively(hash)(
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          // Before the file is looked for or fetched, so that it is not given up in between.
          const entry = entries.take(hash)
          yield* Effect.addFinalizer(() =>
            Effect.suspend(() => {
              entries.give(hash)
              return makeRoom
            })
          )
          if (entry === undefined || !(yield* isWhole(hash, entry.size, entry.isChecked))) {
            entries.forget(hash)
            yield* restore(fetch)
          }
          return pathOf(hash)
        })
      )
    )

  yield* Effect.gen(function* () {
    for (const path of [kept, temporary]) yield* makeDirectory(path)
    yield* removeAbandoned(temporary)
    for (const { hash, size } of yield* filesIn(kept)) entries.add(hash, size, false)
    yield* makeRoom
  }).pipe(failing(`prepare the folder ${folder}`))

  return {
    withTemporary: yield* makeTemporaryFiles(temporary),
    keep,
    open,
    drop: (hash: BlobHash) =>
      Effect.suspend(() => {
        entries.forget(hash)
        return throwAway(hash)
      }),
    /** Bytes that lie in the cache now. */
    bytes: Effect.sync(() => entries.bytes)
  }
})
