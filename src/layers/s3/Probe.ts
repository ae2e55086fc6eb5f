import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import type { Bucket } from "./Bucket.ts"

/** An object like those that are stored. */
const objectOf = (text: string) => {
  const bytes = new TextEncoder().encode(text)
  return { size: bytes.length, hash: createHash("sha256").update(bytes).digest("hex"), read: Stream.make(bytes) }
}

/** Does with an object of its own, below the prefix, all that the store does with objects: list, put, get, remove. */
export const tryBucket = Effect.fnUntraced(function* (bucket: Bucket, prefix: string) {
  const random = yield* SecureRandom.SecureRandom
  const name = `probe-${Buffer.from(yield* random.randomBytes(12)).toString("hex")}`
  const key = prefix === "" ? name : `${prefix}/${name}`
  yield* bucket.list(prefix === "" ? "" : `${prefix}/`, undefined, 1)
  yield* bucket.put(key, objectOf(name))
  const { bytes } = yield* bucket
    .open(key)
    .pipe(
      Effect.catchTag("S3NotFound", () =>
        Effect.fail(bucket.failed("get an object", "damaged", `${key} was put and is not there`))
      )
    )
  const read = yield* Stream.mkString(Stream.decodeText(bytes))
  yield* bucket.remove(key)
  if (read !== name) return yield* bucket.failed("get an object", "damaged", `${key} came back with other bytes`)
})

/** Whether objects can be stored now. It leaves one small object, always the same. */
export const canStore = (bucket: Bucket, prefix: string) =>
  bucket.put(prefix === "" ? "probe" : `${prefix}/probe`, objectOf("whether objects can be stored"))
