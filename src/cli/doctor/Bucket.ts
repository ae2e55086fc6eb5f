import { Clock, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpClient, HttpClientRequest } from "effect/http"
import { BlobsConfig } from "../../layers/blobs/s3/BlobsConfig.ts"
import { layerHttp, makeBucket } from "../../layers/s3/Bucket.ts"
import { tryBucket } from "../../layers/s3/Probe.ts"
import { placeText, type S3Access } from "../../layers/s3/S3Settings.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"

const name = "bucket"

/** Beyond this, no original is removed any more. Answers tell the time in whole seconds. */
const mostApart = 3_000

export const judgeBucketClock = (detail: string, millisAhead: number | undefined): Finding => {
  if (millisAhead === undefined || Math.abs(millisAhead) <= mostApart) return ok(name, detail)
  const seconds = Math.round(Math.abs(millisAhead) / 1000)
  return warn(
    name,
    `${detail}; the server's clock is ${seconds} s ${millisAhead < 0 ? "behind" : "ahead"}`,
    "Let NTP set the clocks: from 5 s on no original is removed, and from some minutes on every call is refused."
  )
}

/** How far the server's clock is ahead, by any answer of it; undefined if it does not say. */
const millisAhead = Effect.fnUntraced(
  function* ({ endpoint, region }: S3Access) {
    const http = yield* HttpClient.HttpClient
    const { href } = endpoint ?? new URL(`https://s3.${region}.amazonaws.com`)
    const { headers } = yield* http.execute(HttpClientRequest.head(href))
    const ahead = Date.parse(headers["date"] ?? "") - (yield* Clock.currentTimeMillis)
    return Number.isNaN(ahead) ? undefined : ahead
  },
  Effect.orElseSucceed(() => undefined)
)

/** Checks that objects can be listed, stored, read and removed in the bucket that BLOBS names. */
export const checkBucket = Effect.gen(function* () {
  const settings = yield* BlobsConfig
  if (settings === undefined) return ok(name, "none: originals are kept in the data folder (BLOBS)")
  if (settings._tag === "Folder") return ok(name, `none: originals are kept in ${settings.folder} (BLOBS)`)
  const { access, place } = settings
  const startedAt = yield* Clock.currentTimeMillis
  const bucket = yield* makeBucket(access, place.bucket)
  const works = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    return judgeBucketClock(
      `${placeText(place)}: an object was listed, put, read and removed in ${now - startedAt} ms`,
      yield* millisAhead(access)
    )
  })
  return yield* Effect.matchEffect(tryBucket(bucket, place.prefix), {
    onSuccess: () => works,
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
