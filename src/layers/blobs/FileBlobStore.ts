import { type Stats, statSync, utimes } from "node:fs"
import { join, resolve } from "node:path"
import { Clock, Effect, Layer, Schema, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobHash } from "../../domain/Ids.ts"
import { BlobLost, BlobStore, BlobStoreUnavailable, tooLateToRemove } from "../../services/BlobStore.ts"
import { BlobFolders, prefixes } from "./BlobFolders.ts"
import { type BlobRegister, noRegister } from "./BlobRegister.ts"
import { attempt, failing, unlessMissing, withCode } from "./FileFailures.ts"
import { call, makeDirectory, readNames, statFile, syncFile, unlinkFile } from "./Files.ts"
import { putWith } from "./PutBlob.ts"
import { makeTemporaryFiles, removeAbandoned } from "./TemporaryFiles.ts"

// Blobs lie in <directory>/blobs, and what is being written in <directory>/tmp. A blob that is put again is replaced by its own
// bytes: that renews its time, heals a damaged file, and costs no reader anything, since an open file outlives its name.
//
// Calls that may wait for the disk run beside this thread. Calls that only change what the system has in memory anyway (a time,
// a descriptor, a name that was just read) are made here: handing them over would cost more.

export interface FileBlobStoreOptions {
  readonly directory: string
  readonly register?: BlobRegister
}

const isBlobHash = Schema.is(BlobHash)

/** The time was written as a fraction of seconds, which is not exact. */
const putAt = (stats: Stats) => Math.round(stats.mtimeMs)

const lostIfMissing = (hash: BlobHash, operation: string) =>
  Effect.mapError((cause: NodeJS.ErrnoException) =>
    cause.code === "ENOENT"
      ? new BlobLost({ hash, detail: "its file is missing" })
      : new BlobStoreUnavailable({ operation: withCode(operation, cause), cause })
  )

/** Renews the blob's time and returns its size. */
const touchIn = (folders: BlobFolders) =>
  Effect.fn("BlobStore.touch")(function* (hash: BlobHash) {
    const path = folders.pathOf(hash)
    const seconds = (yield* Clock.currentTimeMillis) / 1000
    const renew = Effect.andThen(
      call<void>((done) => utimes(path, seconds, seconds, (error) => done(error))),
      statFile(path)
    )
    const { size } = yield* folders
      .exclusively(hash)(Effect.uninterruptible(renew))
      .pipe(lostIfMissing(hash, "renew a blob"))
    return size
  })

const removeIn = (folders: BlobFolders, register: BlobRegister) => {
  /** Most removed blobs never were in a file, and a read costs less than a write. */
  const dropEntry = (hash: BlobHash) =>
    Effect.flatMap(register.has(hash), (entered) => (entered ? register.drop(hash) : Effect.void))

  return Effect.fn("BlobStore.remove")(function* (hash: BlobHash, putBefore?: number, until?: number) {
    const path = folders.pathOf(hash)
    yield* folders.exclusively(hash)(
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
}

const listOf = (folders: BlobFolders, register: BlobRegister) =>
  Stream.fromIterable(prefixes).pipe(
    Stream.flatMap((prefix) => Stream.fromIterableEffect(readNames(join(folders.directory, prefix)))),
    Stream.filter(isBlobHash),
    Stream.mapEffect(
      (hash) =>
        statFile(folders.pathOf(hash)).pipe(
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

const locateIn = (folders: BlobFolders) =>
  Effect.fn("BlobStore.locate")(function* (hash: BlobHash) {
    const path = folders.pathOf(hash)
    const stats = yield* attempt(() => statSync(path)).pipe(lostIfMissing(hash, "look for a blob"))
    // Opening a pipe would block until a process writes to it.
    if (!stats.isFile()) return yield* new BlobLost({ hash, detail: "what lies in its place is no file" })
    return { _tag: "File", path, hash } as const
  })

const make = Effect.fnUntraced(function* ({ directory, register = noRegister }: FileBlobStoreOptions) {
  const root = resolve(directory)
  const temporary = join(root, "tmp")
  const withTemporary = yield* makeTemporaryFiles(temporary)
  const folders = yield* BlobFolders.make(join(root, "blobs"))

  yield* makeDirectory(temporary).pipe(
    Effect.andThen(folders.prepare()),
    Effect.andThen(removeAbandoned(temporary)),
    failing(`prepare its directory ${root}`)
  )
  // Finds a read-only or foreign directory at start, not at the first upload.
  yield* withTemporary((file) => syncFile(file.descriptor)).pipe(failing(`write into its directory ${root}`))

  const put = putWith({ folders, register, withTemporary })
  return BlobStore.of({
    put,
    receive: put,
    touch: touchIn(folders),
    locate: locateIn(folders),
    remove: removeIn(folders, register),
    list: listOf(folders, register)
  })
})

/** Blobs as files below `directory`, complete and durable as soon as they have a name. */
export const layer = (options: FileBlobStoreOptions): Layer.Layer<BlobStore, BlobStoreUnavailable> =>
  Layer.effect(BlobStore, make(options)).pipe(Layer.provide(SecureRandom.layerWebCrypto))
