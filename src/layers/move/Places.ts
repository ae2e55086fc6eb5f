/** The places between which originals are moved. */
import { join, resolve } from "node:path"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobStore } from "../../services/BlobStore.ts"
import type { BlobRegister } from "../blobs/BlobRegister.ts"
import * as FileBlobStore from "../blobs/FileBlobStore.ts"
import { holdCacheFolder } from "../blobs/Originals.ts"
import { BlobsConfig, type BlobsSettings } from "../blobs/s3/BlobsConfig.ts"
import * as S3BlobStore from "../blobs/s3/S3BlobStore.ts"
import { layerHttp, makeBucket } from "../s3/Bucket.ts"
import { tryBucket } from "../s3/Probe.ts"
import { placeText } from "../s3/S3Settings.ts"

export interface Place {
  /** As `BLOBS` names it; the data folder's own path without `BLOBS`. */
  readonly text: string
  readonly settings: BlobsSettings | undefined
}

const placeOf = (directory: string, settings: BlobsSettings | undefined): Place => ({
  settings,
  text:
    settings === undefined
      ? resolve(directory)
      : settings._tag === "Folder"
        ? resolve(settings.folder)
        : placeText(settings.place)
})

/** Where the originals of the folder's documents are, and where they are to be: as `blobs` says, or else where they are. */
export const placesOf = Effect.fnUntraced(function* (directory: string, blobs: string | undefined) {
  const source = placeOf(directory, yield* BlobsConfig)
  if (blobs === undefined) return { source, target: source }
  const environment = yield* ConfigProvider.ConfigProvider
  const wanted = ConfigProvider.orElse(ConfigProvider.fromUnknown({ BLOBS: blobs }), environment)
  const settings = yield* Effect.provide(
    Effect.gen(function* () {
      return yield* BlobsConfig
    }),
    ConfigProvider.layer(wanted)
  )
  return { source, target: placeOf(directory, settings) }
})

const tools = Layer.merge(layerHttp, SecureRandom.layerWebCrypto)

/** A bucket is tried first, so that it is refused before anything was moved. */
export const openPlace = Effect.fnUntraced(function* (
  directory: string,
  { settings }: Place,
  register: BlobRegister | undefined
) {
  const registered = register === undefined ? {} : { register }
  if (settings?._tag !== "Bucket") {
    const folder = settings?.folder ?? directory
    const files = yield* Layer.build(FileBlobStore.layer({ directory: folder, ...registered }))
    return Context.get(files, BlobStore)
  }
  const { access, cacheBytes, place } = settings
  const services = yield* Layer.build(tools)
  const bucket = yield* Effect.provide(makeBucket(access, place.bucket), services)
  yield* Effect.provide(tryBucket(bucket, place.prefix), services)
  const folder = yield* holdCacheFolder(join(directory, "cache"))
  const store = yield* Layer.build(
    S3BlobStore.layer({ bucket, prefix: place.prefix, folder, cacheBytes, ...registered })
  )
  return Context.get(store, BlobStore)
})
