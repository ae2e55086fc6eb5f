// Objects of a target in a bucket. A put makes the whole object or none.
import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import { FarSideUnavailable } from "../../../services/downstreams/Downstreams.ts"
import type { Bucket } from "../../s3/Bucket.ts"
import type { S3Failed } from "../../s3/S3Error.ts"
import type { S3Place } from "../../s3/S3Settings.ts"
import type { Content } from "./Contents.ts"
import type { Written } from "./FolderTarget.ts"

const unavailable = ({ isPassing, message, retryAfterMillis }: S3Failed) =>
  new FarSideUnavailable({
    detail: message,
    ...(isPassing ? {} : { permanent: true }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  })

/** Writes objects below this place. The content is made twice: its hash is sent before it. */
export const makeBucketTarget =
  ({ prefix }: S3Place, bucket: Bucket) =>
  (relative: string, { bytes, mediaType }: Content) =>
    Effect.gen(function* () {
      const key = prefix === "" ? relative : `${prefix}/${relative}`
      const digest = createHash("sha256")
      let size = 0
      yield* Stream.runForEach(bytes, (part) =>
        Effect.sync(() => {
          digest.update(part)
          size += part.length
        })
      )
      const hash = digest.digest("hex")
      yield* Effect.mapError(bucket.put(key, { size, hash, read: bytes }, { "media-type": mediaType }), unavailable)
      const written: Written = { path: relative, size, sha256: hash }
      return written
    })
