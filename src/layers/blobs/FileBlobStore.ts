import { closeSync, futimesSync, mkdir, openSync, rename, type Stats, statSync, utimes } from "node:fs"
import { join, resolve } from "node:path"
import { Clock, Effect, Layer, Schema, Semaphore, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobHash } from "../../domain/Ids.ts"
import {
  BlobLost,
  BlobStore,
  BlobStoreUnavailable,
  type PutOptions,
  tooLateToRemove
} from "../../services/BlobStore.ts"
import { call, directoryMode, makeDirectory, syncDirectory, syncFile } from "./Files.ts"
import {
  attempt,
  failing,
  makeTemporaryFiles,
  readNames,
  removeAbandoned,
  statFile,
  type TemporaryFile,
  unlessMissing,
  unlinkFile,
  withCode,
  writeHashed
} from "./TemporaryFiles.ts"

// Layout: <directory>/blobs/<first two digits>/<hash>, and <directory>/tmp for what is being written.
//
// A blob gets its name only after its bytes were synced, and a put succeeds only after the name was synced too. All 256 folders
// are made at start, so no put has to sync more than one of them. A blob that is put again is replaced by its own bytes: that
// renews its time, heals a damaged file, and costs no reader anything, since an open file outlives its name.
//
// Calls that may wait for the disk run beside this thread. Calls that only change what the system has in memory anyway (a time,
// a descriptor, a name that was just looked up) are made here: handing them over would cost more.

/** Records which blobs were put by this store's owner, as opposed to blobs that were found in the folder. */
export interface BlobRegister {
  readonly add: (hash: BlobHash) => Effect.Effect<void, BlobStoreUnavailable>
  readonly drop: (hash: BlobHash) => Effect.Effect<void, BlobStoreUnavailable>
  /** The blob was entered, or a document refers to it. */
  readonly has: (hash: BlobHash) => Effect.Effect<boolean, BlobStoreUnavailable>
}

/** Without a register every blob in the folder counts as entered. */
export const noRegister: BlobRegister = {
  add: () => Effect.void,
  drop: () => Effect.void,
  has: () => Effect.succeed(true)
}

export interface FileBlobStoreOptions {
  readonly directory: string
  readonly register?: BlobRegister
}

const prefixes = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0"))
const isBlobHash = Schema.is(BlobHash)

const make = Effect.fnUntraced(function* (options: FileBlobStoreOptions) {
  const root = resolve(options.directory)
  const blobs = join(root, "blobs")
  const temporary = join(root, "tmp")
  const withTemporary = yield* makeTemporaryFiles(temporary)
  const { register = noRegister } = options

  const folderOf = (hash: BlobHash) => join(blobs, hash.slice(0, 2))
  const pathOf = (hash: BlobHash) => join(folderOf(hash), hash)

  const locks = new Map(prefixes.map((prefix) => [prefix, Semaphore.makeUnsafe(1)]))
  /** A put or touch that renews a blob and a removal that found it old must not interleave. */
  const exclusively =
    (hash: BlobHash) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>) => {
      const lock = locks.get(hash.slice(0, 2))
      return lock === undefined ? effect : lock.withPermit(effect)
    }

  // Kept open, since every put syncs one of them. Windows has no such call.
  const folders = new Map<string, number>()
  yield* Effect.addFinalizer(() => Effect.sync(() => folders.forEach((descriptor) => closeSync(descriptor))))
  const syncFolder = (path: string) => {
    if (process.platform === "win32") return Effect.void
    return Effect.flatMap(
      attempt(() => folders.get(path) ?? openSync(path, "r")),
      (descriptor) => {
        folders.set(path, descriptor)
        return syncFile(descriptor)
      }
    )
  }

  const put = Effect.fn("BlobStore.put")(function* <E, R, E2 = never>(
    bytes: Stream.Stream<Uint8Array, E, R>,
    limit: number,
    { reserve }: PutOptions<E2> = {}
  ) {
    return yield* withTemporary(
      Effect.fnUntraced(function* (file) {
        const stored = yield* writeHashed(file, bytes, limit)
        // Before the blob is locked: it waits for a removal of the same blob, which takes the lock.
        if (reserve !== undefined) yield* reserve(stored.hash)
        yield* Effect.uninterruptible(commit(file, stored.hash))
        return stored
      })
    )
  })

  const commit = Effect.fnUntraced(function* (file: TemporaryFile, hash: BlobHash) {
    const seconds = (yield* Clock.currentTimeMillis) / 1000
    yield* attempt(() => futimesSync(file.descriptor, seconds, seconds))
    yield* syncFile(file.descriptor)
    // The entry comes before the name: a named blob without an entry was put there by another owner.
    yield* exclusively(hash)(
      Effect.andThen(
        register.add(hash),
        call((done) => rename(file.path, pathOf(hash), done))
      )
    )
    file.named = true
    yield* syncFolder(folderOf(hash))
  }, failing("make a blob durable"))

  const lostIfMissing = (hash: BlobHash, operation: string) =>
    Effect.mapError((cause: NodeJS.ErrnoException) =>
      cause.code === "ENOENT"
        ? new BlobLost({ hash, detail: "its file is missing" })
        : new BlobStoreUnavailable({ operation: withCode(operation, cause), cause })
    )

  const touch = Effect.fn("BlobStore.touch")(function* (hash: BlobHash) {
    const path = pathOf(hash)
    const seconds = (yield* Clock.currentTimeMillis) / 1000
    const renew = Effect.andThen(
      call<void>((done) => utimes(path, seconds, seconds, (error) => done(error))),
      statFile(path)
    )
    const { size } = yield* exclusively(hash)(Effect.uninterruptible(renew)).pipe(lostIfMissing(hash, "renew a blob"))
    return size
  })

  /** Most removed blobs never were in a file, and a read costs less than a write. */
  const dropEntry = (hash: BlobHash) =>
    Effect.flatMap(register.has(hash), (entered) => (entered ? register.drop(hash) : Effect.void))

  const remove = Effect.fn("BlobStore.remove")(function* (hash: BlobHash, putBefore?: number, until?: number) {
    const path = pathOf(hash)
    yield* exclusively(hash)(
      Effect.gen(function* () {
        if (putBefore !== undefined && putAt(yield* statFile(path)) >= putBefore) return false
        if (until !== undefined && (yield* Clock.currentTimeMillis) > until) return yield* tooLateToRemove()
        yield* unlinkFile(path)
        return true
      }).pipe(
        unlessMissing(() => true),
        failing("remove a blob"),
        Effect.flatMap((gone) => (gone ? dropEntry(hash) : Effect.void))
      )
    )
  })

  const list = Stream.fromIterable(prefixes).pipe(
    Stream.flatMap((prefix) => Stream.fromIterableEffect(readNames(join(blobs, prefix)))),
    Stream.filter(isBlobHash),
    Stream.mapEffect(
      (hash) =>
        statFile(pathOf(hash)).pipe(
          Effect.map((stats) => [{ hash, putAtMillis: putAt(stats) }]),
          // Removed since its name was read.
          unlessMissing(() => [])
        ),
      { concurrency: 8 }
    ),
    Stream.flattenIterable,
    Stream.mapEffect((blob) => Effect.map(register.has(blob.hash), (known) => ({ ...blob, known }))),
    Stream.mapError((cause) => new BlobStoreUnavailable({ operation: "list its blobs", cause }))
  )

  yield* Effect.gen(function* () {
    for (const path of [temporary, blobs]) yield* makeDirectory(path)
    for (const prefix of prefixes) yield* makeFolder(join(blobs, prefix))
    yield* syncDirectory(blobs)
    yield* removeAbandoned(temporary)
  }).pipe(failing(`prepare its directory ${root}`))
  // Finds a read-only or foreign directory at start, not at the first upload.
  yield* withTemporary((file) => syncFile(file.descriptor)).pipe(failing(`write into its directory ${root}`))

  return BlobStore.of({
    put,
    receive: put,
    touch,
    locate: Effect.fn("BlobStore.locate")(function* (hash: BlobHash) {
      const stats = yield* attempt(() => statSync(pathOf(hash))).pipe(lostIfMissing(hash, "look for a blob"))
      // Opening a pipe would block until a process writes to it.
      if (!stats.isFile()) return yield* new BlobLost({ hash, detail: "what lies in its place is no file" })
      return { _tag: "File", path: pathOf(hash), hash } as const
    }),
    remove,
    list
  })
})

/** Blobs as files below `directory`, complete and durable as soon as they have a name. */
export const layer = (options: FileBlobStoreOptions): Layer.Layer<BlobStore, BlobStoreUnavailable> =>
  Layer.effect(BlobStore, make(options)).pipe(Layer.provide(SecureRandom.layerWebCrypto))

/** The time was written as a fraction of seconds, which is not exact. */
const putAt = (stats: Stats) => Math.round(stats.mtimeMs)
const makeFolder = (path: string) =>
  call((done) => mkdir(path, { mode: directoryMode }, (error) => done(error?.code === "EEXIST" ? null : error)))
