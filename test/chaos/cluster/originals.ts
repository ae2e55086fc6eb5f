// The S3 server of a run: a real one behind a proxy that can go away, and that can be stopped so that it does not answer at all.
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import { makeBucket } from "../../../src/layers/s3/Bucket.ts"
import { startFaultyProxy } from "../../support/swift/FaultyProxy.ts"
import { startSwift } from "../../support/swift/Swift.ts"

const bucket = "originals"
const prefix = "chaos"

export const openOriginals = Effect.gen(function* () {
  const swift = yield* startSwift
  yield* swift.makeBucket(bucket)
  const objects = yield* Effect.provide(makeBucket(swift.access, bucket), FetchHttpClient.layer)
  const proxy = yield* startFaultyProxy(swift.url)
  return {
    /** For a runner. */
    env: { ...swift.env, S3_ENDPOINT: proxy.url, BLOBS: `s3://${bucket}/${prefix}` },
    has: (hash: string) =>
      Effect.match(objects.head(`${prefix}/${hash.slice(0, 2)}/${hash}`), {
        onSuccess: () => true,
        onFailure: () => false
      }),
    /** Every connection is refused, or none is answered. Answers with what ends that. */
    goAway: (how: "refusing" | "silent") =>
      how === "refusing"
        ? Effect.as(proxy.away(true), proxy.away(false))
        : Effect.as(swift.signal("SIGSTOP"), swift.signal("SIGCONT"))
  }
})
export type Originals = Effect.Success<typeof openOriginals>
