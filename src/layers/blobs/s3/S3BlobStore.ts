import { Clock, Effect, Layer, Schema, type Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobHash } from "../../../domain/Ids.ts"
import {
  BlobLost,
  type BlobLocation,
  BlobStore,
  BlobStoreUnavailable,
  type PutOptions
} from "../../../services/BlobStore.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import { type Bucket, listAll } from "../../s3/Bucket.ts"
import { retrying } from "../../s3/Calls.ts"
import { S3Failed, type S3NotFound } from "../../s3/S3Error.ts"
import { type BlobRegister, noRegister } from "../BlobRegister.ts"
import { writeHashed } from "../TemporaryFiles.ts"
import { makeBlobCache, makeHashLocks, readFileStream } from "./BlobCache.ts"

// Layout: <prefix>/<first two digits>/<hash>, the same as that of blobs in files, so that one can be copied to the other.
//
// A put writes the bytes into a local file, which gives their hash, and then sends them with the hash signed: the server refuses
// other bytes, and an object is there whole or not at all. The file stays as the entry of the local cache. Two writers of one
// blob write the same bytes, so no write has to be conditional.
//
// S3 has no call that removes an object only if it is old, so a removal looks first and removes then. What comes between is kept
// away by the claim of the removal (`BlobReferences`): while it lasts, no upload of the same bytes goes on in any process. The
// signature of the removal expires before the claim does, so it has no effect if this process was held up meanwhile.

export interface S3BlobStoreOptions {
  readonly bucket: Bucket
  /** Without a slash at either end. */
  readonly prefix: string
  /** Of the local files. */
  readonly folder: string
  readonly cacheBytes: number
  readonly register?: BlobRegister
}

/** When a blob was last put or touched, by the clock of the process that did it, in milliseconds. */
const putAtName = "put-at"

const isBlobHash = Schema.is(BlobHash)

const keyBelow = (prefix: string, key: string) => (prefix === "" ? key : `${prefix}/${key}`)

const keyOfBlob = (prefix: string, hash: BlobHash) => keyBelow(prefix, `${hash.slice(0, 2)}/${hash}`)

const unavailable = (operation: string) =>
  Effect.mapError((cause: S3Failed | BlobStoreUnavailable) =>
    cause instanceof BlobStoreUnavailable ? cause : new BlobStoreUnavailable({ operation, cause })
  )

const lost = (hash: BlobHash, operation: string) =>
  Effect.mapError((error: S3Failed | S3NotFound | BlobStoreUnavailable) => {
    if (error instanceof BlobStoreUnavailable) return error
    if (error._tag === "S3NotFound") return new BlobLost({ hash, detail: "there is no such object in the bucket" })
    return error instanceof S3Failed && error.reason === "damaged"
      ? new BlobLost({ hash, detail: error.detail })
      : new BlobStoreUnavailable({ operation, cause: error })
  })

/** Times are those of the server, to the second: the exact ones would take a call for each. */
const listBlobs = (bucket: Bucket, prefix: string, register: BlobRegister) =>
  listAll(bucket, keyBelow(prefix, "")).pipe(
    Stream.flatMap(({ key, modifiedAtMillis }) => {
      const hash = key.slice(key.lastIndexOf("/") + 1)
      return isBlobHash(hash) && key === keyOfBlob(prefix, hash)
        ? Stream.succeed({ hash, putAtMillis: modifiedAtMillis })
        : Stream.empty
    }),
    Stream.mapEffect((blob) => Effect.map(register.has(blob.hash), (known) => ({ ...blob, known }))),
    Stream.mapError((error) =>
      error instanceof S3Failed ? new BlobStoreUnavailable({ operation: "list its bucket", cause: error }) : error
    )
  )

const make = Effect.fnUntraced(function* (options: S3BlobStoreOptions) {
  const { bucket, prefix, register = noRegister } = options
  const cache = yield* makeBlobCache(options.folder, options.cacheBytes)
  const exclusively = makeHashLocks()
  const keyOf = (hash: BlobHash) => keyOfBlob(prefix, hash)
  const now = Effect.map(Clock.currentTimeMillis, (millis) => ({ [putAtName]: String(millis) }))

  const put = TraceContext.traced(
    "BlobStore.put",
    <E, R, E2 = never>(bytes: Stream.Stream<Uint8Array, E, R>, limit: number, { reserve }: PutOptions<E2> = {}) =>
      cache.withTemporary(
        Effect.fnUntraced(function* (file) {
          const stored = yield* writeHashed(file, bytes, limit)
          const { hash, size } = stored
          // Before the blob is locked: it waits for a removal of the same blob, which takes the lock.
          if (reserve !== undefined) yield* reserve(hash)
          const send = Effect.gen(function* () {
            // Known before the object is there: an object that is not known was put there by another owner. The caller's reference
            // has made it known.
            if (reserve === undefined) yield* register.add(hash)
            yield* bucket.put(keyOf(hash), { size, hash, read: readFileStream(file.path) }, yield* now)
          }).pipe(unavailable("store a blob in its bucket"))
          yield* exclusively(hash)(send)
          // The blob is stored, with or without its local file.
          yield* Effect.ignore(cache.keep(file, hash, size), { log: "Warn" })
          return stored
        })
      )
  )

  const fetch = (hash: BlobHash) =>
    retrying(
      Effect.gen(function* () {
        const { bytes, size } = yield* bucket.open(keyOf(hash))
        const other = bucket.failed("get an object", "damaged", `the bytes of ${keyOf(hash)} have another hash`)
        yield* cache.withTemporary(
          Effect.fnUntraced(function* (file) {
            const fetched = yield* Effect.catchTag(writeHashed(file, bytes, size), "BlobTooLarge", () =>
              Effect.fail(other)
            )
            if (fetched.hash !== hash) return yield* other
            yield* cache.keep(file, hash, size)
          })
        )
      })
    ).pipe(lost(hash, "get a blob from its bucket"))

  const touch = Effect.fn("BlobStore.touch")(function* (hash: BlobHash) {
    const renew = Effect.gen(function* () {
      const { size } = yield* bucket.head(keyOf(hash))
      yield* bucket.renew(keyOf(hash), size, yield* now)
      return size
    })
    return yield* exclusively(hash)(renew).pipe(lost(hash, "renew a blob in its bucket"))
  })

  const isOlder = (hash: BlobHash, putBefore: number | undefined) =>
    putBefore === undefined
      ? Effect.succeed(true)
      : Effect.map(bucket.head(keyOf(hash)), ({ metadata, modifiedAtMillis }) => {
          const putAt = Number(metadata(putAtName) ?? modifiedAtMillis)
          return putAt < putBefore
        }).pipe(Effect.catchTag("S3NotFound", () => Effect.succeed(true)))

  const remove = Effect.fn("BlobStore.remove")(function* (hash: BlobHash, putBefore?: number, until?: number) {
    // Most removed blobs never were in the bucket, and a call over the network costs more than a look.
    if (!(yield* register.has(hash))) return
    yield* Effect.gen(function* () {
      if (!(yield* isOlder(hash, putBefore))) return
      yield* bucket.remove(keyOf(hash), until)
      yield* cache.drop(hash)
      yield* register.drop(hash)
    }).pipe(exclusively(hash), unavailable("remove a blob from its bucket"))
  })

  return BlobStore.of({
    put,
    receive: put,
    touch,
    locate: Effect.fn("BlobStore.locate")(function* (
      hash: BlobHash
    ): Effect.fn.Return<BlobLocation, BlobLost | BlobStoreUnavailable, Scope.Scope> {
      return { _tag: "File", path: yield* cache.open(hash, fetch(hash)), hash }
    }),
    remove,
    list: listBlobs(bucket, prefix, register)
  })
})

/** Blobs as objects in a bucket, with a local cache of files. */
export const layer = (options: S3BlobStoreOptions): Layer.Layer<BlobStore, BlobStoreUnavailable> =>
  Layer.effect(BlobStore, make(options)).pipe(Layer.provide(SecureRandom.layerWebCrypto))
