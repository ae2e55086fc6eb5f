import { Clock, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { BlobsConfig } from "../../layers/blobs/s3/BlobsConfig.ts"
import { layerHttp, makeBucket } from "../../layers/s3/Bucket.ts"
import { tryBucket } from "../../layers/s3/Probe.ts"
import { placeText } from "../../layers/s3/S3Settings.ts"
import { fail, ok } from "./Finding.ts"

const name = "bucket"

/** Checks that objects can be listed, stored, read and removed in the bucket that BLOBS names. */
export const checkBucket = Effect.gen(function* () {
  const settings = yield* BlobsConfig
  if (settings === undefined) return ok(name, "none: originals are kept in the data folder (BLOBS)")
  if (settings._tag === "Folder") return ok(name, `none: originals are kept in ${settings.folder} (BLOBS)`)
  const { access, place } = settings
  const startedAt = yield* Clock.currentTimeMillis
  const bucket = yield* makeBucket(access, place.bucket)
  return yield* Effect.matchEffect(tryBucket(bucket, place.prefix), {
    onSuccess: () =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        ok(name, `${placeText(place)}: an object was listed, put, read and removed in ${now - startedAt} ms`)
      ),
    onFailure: ({ advice, detail, operation }) =>
      Effect.succeed(
        fail(
          name,
          `${placeText(place)}: could not ${operation}: ${detail}`,
          `${advice[0]?.toUpperCase()}${advice.slice(1)}.`
        )
      )
  })
}).pipe(Effect.provide(Layer.merge(layerHttp, SecureRandom.layerWebCrypto)))
