import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Option, Stream } from "effect"
import { element, type ListPage, readListPage, reasonOf } from "./Answers.ts"
import { makeCalls, sizeOf } from "./Calls.ts"
import type { S3Failed, S3NotFound } from "./S3Error.ts"
import type { S3Access } from "./S3Settings.ts"
import { noAnswer, type ObjectBytes } from "./Send.ts"
import { encodePath } from "./Signature.ts"

export type Metadata = Readonly<Record<string, string>>

export interface ObjectHead {
  readonly size: number
  readonly modifiedAtMillis: number
  readonly metadata: (name: string) => string | undefined
}

export type Bucket = Effect.Success<ReturnType<typeof makeBucket>>

const metaHeaders = (metadata: Metadata) =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]))

/** The calls of one bucket that are needed here. Failures that may pass are tried again, unless calls are made `once`. */
export const makeBucket = Effect.fnUntraced(function* (
  access: S3Access,
  name: string,
  how: "again" | "once" = "again"
) {
  const { again, answered, asText, failed, within } = yield* makeCalls(access, name, how)

  const list = Effect.fnUntraced(function* (prefix: string, after: string | undefined, most: number) {
    const query = { "list-type": "2", prefix, "max-keys": String(most) }
    const operation = "list objects"
    const text = yield* asText({
      operation,
      method: "GET",
      key: "",
      query: after === undefined ? query : { ...query, "continuation-token": after }
    })
    return readListPage(text) ?? (yield* failed(operation, "refused", "what the server answered is no list"))
  })

  /** A list or a put needs no object, so it is the bucket that is missing. */
  const inBucket =
    (operation: string) =>
    <A>(call: Effect.Effect<A, S3Failed | S3NotFound>): Effect.Effect<A, S3Failed> =>
      Effect.catchTag(call, "S3NotFound", () => Effect.fail(failed(operation, "no-bucket", "the server answered 404")))

  return {
    name,
    /** The object is stored whole when this succeeds. What a failed call has left is the whole object or none. */
    put: (key: string, bytes: ObjectBytes, metadata: Metadata = {}) => {
      const operation = "put an object"
      const call = { operation, method: "PUT", key, bytes, headers: metaHeaders(metadata) } as const
      return asText(call).pipe(inBucket(operation), Effect.asVoid)
    },
    /** Replaces the metadata, and with it the time of the last change. The server copies the bytes onto themselves. */
    renew: (key: string, size: number, metadata: Metadata) => {
      const operation = "renew an object"
      const headers = {
        ...metaHeaders(metadata),
        "x-amz-copy-source": `/${encodePath(name)}/${encodePath(key)}`,
        "x-amz-metadata-directive": "REPLACE"
      }
      return asText({ operation, method: "PUT", key, headers }).pipe(
        // A copy that takes long answers 200 first, and tells in the body how it ended.
        Effect.filterOrFail(
          (text) => !text.includes("<Error>"),
          (text) => failed(operation, reasonOf(500, element(text, "Code")), element(text, "Message") ?? "it broke off")
        ),
        within(operation, size),
        Effect.asVoid
      )
    },
    head: (key: string) => {
      const call = { operation: "look for an object", method: "HEAD", key } as const
      return answered(call).pipe(
        Effect.flatMap((response) =>
          Effect.map(sizeOf(name, call.operation, response), (size): ObjectHead => ({
            size,
            modifiedAtMillis: Date.parse(response.headers["last-modified"] ?? ""),
            metadata: (name) => response.headers[`x-amz-meta-${name}`]
          }))
        ),
        within(call.operation, 0),
        again
      )
    },
    /** One try of reading an object. Its bytes break off with an error if they come too slowly. */
    open: Effect.fnUntraced(function* (key: string) {
      const call = { operation: "get an object", method: "GET", key } as const
      const response = yield* answered(call).pipe(within(call.operation, 0))
      const size = yield* sizeOf(name, call.operation, response)
      const late = Effect.andThen(Effect.never, Effect.void).pipe(within(call.operation, size))
      const bytes = response.stream.pipe(Stream.mapError(noAnswer(name, call.operation)), Stream.interruptWhen(late))
      return { size, bytes }
    }),
    /**
     * Does nothing if there is no such object. The server refuses the call when it comes to it after `until`, in milliseconds
     * since the epoch; without one, after ten seconds.
     */
    remove: (key: string, until?: number) =>
      asText({ operation: "remove an object", method: "DELETE", key, until }).pipe(
        Effect.asVoid,
        Effect.catchTag("S3NotFound", () => Effect.void)
      ),
    /** Up to `most` objects, at most 1000, whose keys begin so. */
    list: (prefix: string, after?: string, most = 1000): Effect.Effect<ListPage, S3Failed> =>
      list(prefix, after, most).pipe(inBucket("list objects")),
    failed
  }
})

/** All objects whose keys begin so, in pages of at most `most`, of which one is in memory. */
export const listAll = (bucket: Bucket, prefix: string, most = 1000) =>
  Stream.paginate(undefined, (after: string | undefined) =>
    Effect.map(
      bucket.list(prefix, after, most),
      ({ next, objects }) => [objects, next === undefined ? Option.none<string>() : Option.some(next)] as const
    )
  )

/** The HTTP client for S3 servers. Connections are kept, up to 32. The server is the operator's, so its address may be private. */
export const layerHttp = NodeHttpClient.layerNodeHttpOptions({ keepAlive: true, maxSockets: 32 })
