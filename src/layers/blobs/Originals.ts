/** Where originals are kept: as files in the data folder or in a shared one, or as objects in a bucket. */
import { join, resolve } from "node:path"
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { BlobStore, BlobStoreUnavailable } from "../../services/BlobStore.ts"
import { DataDirectoryUnusable, holdDataDirectory } from "../folder/DataDirectory.ts"
import { blobsIn } from "../folder/FolderCheck.ts"
import { layerHttp, makeBucket } from "../s3/Bucket.ts"
import { canStore, tryBucket } from "../s3/Probe.ts"
import type { S3Failed } from "../s3/S3Error.ts"
import { placeText } from "../s3/S3Settings.ts"
import type { BlobRegister } from "./BlobRegister.ts"
import * as FileBlobStore from "./FileBlobStore.ts"
import { BlobsConfig, type BlobsSettings } from "./s3/BlobsConfig.ts"
import * as S3BlobStore from "./s3/S3BlobStore.ts"

export interface Originals {
  readonly layer: (register: BlobRegister) => Layer.Layer<BlobStore, BlobStoreUnavailable>
  /** The folder of their files; undefined if they are in a bucket. */
  readonly folder: string | undefined
  /** Tries to store an original in the bucket; undefined without one. */
  readonly tryBucket: Effect.Effect<void, S3Failed> | undefined
}

const inFolder = (folder: string): Originals => ({
  layer: (register) => FileBlobStore.layer({ directory: folder, register }),
  folder,
  tryBucket: undefined
})

/** Earlier files would be missing in the other place, and their documents lost. */
const refuseFiles = Effect.fnUntraced(function* (directory: string, place: string, copy: string) {
  if (blobsIn(directory).next().done === true) return
  return yield* new DataDirectoryUnusable({
    directory,
    detail:
      `BLOBS is ${place}, and blobs in this folder holds originals that would not be found any more. Copy them ` +
      `there (${copy}), move the folder blobs away, and start again; ` +
      "or start without BLOBS"
  })
})

/** More processes than this do not share a data folder. */
const mostCaches = 64

/**
 * A folder for the cache of this process alone, until the scope ends: another's must not give up a file that is used here. What
 * an earlier process left in it is used again.
 */
export const holdCacheFolder = Effect.fnUntraced(function* (caches: string) {
  for (let n = 0; n < mostCaches - 1; n++) {
    const folder = join(caches, String(n))
    if (yield* Effect.isSuccess(holdDataDirectory(folder))) return folder
  }
  const last = join(caches, String(mostCaches - 1))
  yield* holdDataDirectory(last)
  return last
})

const inBucket = Effect.fnUntraced(function* (
  directory: string,
  { access, cacheBytes, place }: Extract<BlobsSettings, { readonly _tag: "Bucket" }>
) {
  const { bucket: name, prefix } = place
  yield* refuseFiles(directory, placeText(place), `aws s3 sync ${join(directory, "blobs")} ${placeText(place)}`)
  const bucket = yield* makeBucket(access, name)
  yield* tryBucket(bucket, prefix).pipe(
    // What may pass by itself is no reason not to start: accepted documents wait, and uploads are refused with 503.
    Effect.catchIf(
      ({ isPassing }) => isPassing,
      (error) => Effect.logWarning(`BLOBS ${placeText(place)} cannot be used yet: ${error.message}`)
    )
  )
  const folder = yield* holdCacheFolder(join(directory, "cache"))
  // Whether the service is ready is asked for again and again, so one try tells enough.
  const once = yield* makeBucket(access, name, "once")
  const originals: Originals = {
    layer: (register) => S3BlobStore.layer({ bucket, prefix, folder, cacheBytes, register }),
    folder: undefined,
    tryBucket: canStore(once, prefix)
  }
  return originals
})

/** As the environment says. A bucket is tried before it is used. */
export const originalsFromEnv = Effect.fnUntraced(function* (directory: string) {
  const settings = yield* BlobsConfig
  if (settings === undefined) return inFolder(directory)
  if (settings._tag === "Folder") {
    const { folder } = settings
    if (resolve(folder) !== resolve(directory))
      yield* refuseFiles(directory, folder, `cp -a ${join(directory, "blobs")} ${folder}`)
    return inFolder(folder)
  }
  const http = yield* Layer.build(Layer.merge(layerHttp, SecureRandom.layerWebCrypto))
  return yield* Effect.provide(inBucket(directory, settings), http)
})
