import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Clock, Context, Duration, Effect, Option, Schedule, Stream } from "effect"
import { HttpBody, HttpClient, type HttpClientError, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { element, isExpired, type ListPage, readListPage, reasonOf, retryAfterMillis } from "./Answers.ts"
import { S3Failed, S3NotFound, type S3Reason } from "./S3Error.ts"
import type { S3Access } from "./S3Settings.ts"
import { emptyHash, encodePath, encodeQuery, presign, sign } from "./Signature.ts"

/** Bytes to store, which can be read again for another try. */
export interface ObjectBytes {
  readonly size: number
  /** SHA-256 in hex. The server refuses other bytes. */
  readonly hash: string
  readonly read: Stream.Stream<Uint8Array, unknown>
}

export type Metadata = Readonly<Record<string, string>>

export interface ObjectHead {
  readonly size: number
  readonly modifiedAtMillis: number
  readonly metadata: (name: string) => string | undefined
}

export type Bucket = Effect.Success<ReturnType<typeof makeBucket>>

/** A call is tried so often in all, with jitter between; a server that asks for a wait gets it, up to `longestWait`. */
const mostTries = 4
const longestWait = Duration.seconds(10)

const retrySchedule = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: mostTries - 1 }),
  Schedule.modifyDelay(({ duration, input }: Schedule.Metadata<unknown, unknown>) => {
    const asked = input instanceof S3Failed ? (input.retryAfterMillis ?? 0) : 0
    return Effect.succeed(Duration.max(duration, Duration.min(Duration.millis(asked), longestWait)))
  })
)

/** Tries again what failed with an `S3Failed` that may pass. */
export const retrying = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(call, { schedule: retrySchedule, while: (error) => error instanceof S3Failed && error.isPassing })

/** Slower than this, a body counts as stuck: its time is the call's and that of its bytes. */
const leastBytesPerSecond = 64 * 1024
const bytesTime = (bytes: number) => Duration.seconds(bytes / leastBytesPerSecond)

/** Errors and lists are read up to here. */
const mostTextBytes = 4 * 1024 * 1024

const readText = (response: HttpClientResponse.HttpClientResponse) => {
  let size = 0
  return response.stream.pipe(
    Stream.takeWhile((chunk) => (size += chunk.length) <= mostTextBytes),
    Stream.decodeText(),
    Stream.mkString
  )
}

/** The store's methods have spans; calls have none of their own, and no trace goes to the server. */
const untracedCalls = Context.make(HttpClient.TracerDisabledWhen, () => true).pipe(
  Context.add(HttpClient.TracerPropagationEnabled, false)
)

interface Call {
  readonly operation: string
  readonly method: "DELETE" | "GET" | "HEAD" | "PUT"
  /** Empty for the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly bytes?: ObjectBytes
  readonly until?: number | undefined
}

/** A removal is signed for at most so long. */
const removalSeconds = 10

const describeMissingAnswer = (error: HttpClientError.HttpClientError) => {
  const { cause } = error.reason
  if (!(cause instanceof Error)) return "the connection broke"
  const code = "code" in cause ? String(cause.code) : cause.name
  return `there is no connection (${code})`
}

/** The calls of one bucket that are needed here. Failures that may pass are tried again, unless calls are made `once`. */
export const makeBucket = Effect.fnUntraced(function* (
  access: S3Access,
  name: string,
  how: "again" | "once" = "again"
) {
  const again = <A, E, R>(call: Effect.Effect<A, E, R>) => (how === "once" ? call : retrying(call))
  const http = yield* HttpClient.HttpClient
  const { credentials, endpoint = new URL(`https://s3.${access.region}.amazonaws.com`), pathStyle, region } = access
  const base = `${endpoint.protocol}//${pathStyle ? "" : `${name}.`}${endpoint.host}`
  const root = `${endpoint.pathname.replace(/\/$/, "")}${pathStyle ? `/${encodePath(name)}` : ""}`

  const failed = (operation: string, reason: S3Reason, detail: string, wait?: number) =>
    new S3Failed({
      reason,
      bucket: name,
      operation,
      detail,
      ...(wait === undefined ? {} : { retryAfterMillis: wait })
    })

  const noAnswer = (operation: string) => (error: HttpClientError.HttpClientError) =>
    failed(operation, "unreachable", describeMissingAnswer(error))

  /** Bounds the time of a whole call. */
  const within = (operation: string, bytes: number) => {
    const most = Duration.sum(access.timeout, bytesTime(bytes))
    return Effect.timeoutOrElse({
      duration: most,
      orElse: () => Effect.fail(failed(operation, "unreachable", `there is no answer within ${Duration.format(most)}`))
    })
  }

  const sendRemoval = Effect.fnUntraced(function* ({ key, operation, until = Number.POSITIVE_INFINITY }: Call) {
    const now = yield* Clock.currentTimeMillis
    const seconds = Math.min(removalSeconds, Math.floor((until - now) / 1000))
    if (seconds < 1) return yield* failed(operation, "too-late", "the right to remove it has run out")
    const url = presign("DELETE", new URL(`${base}${root}/${encodePath(key)}`), credentials, region, now, seconds)
    return yield* http
      .execute(HttpClientRequest.make("DELETE")(url.href))
      .pipe(Effect.provide(untracedCalls), Effect.mapError(noAnswer(operation)))
  })

  const send = Effect.fnUntraced(function* ({ bytes, headers = {}, key, method, operation, query }: Call) {
    const search = query === undefined ? "" : `?${encodeQuery(query)}`
    const url = new URL(`${base}${root}/${encodePath(key)}${search}`)
    const now = yield* Clock.currentTimeMillis
    const unsigned = { method, url, headers, bodyHash: bytes?.hash ?? emptyHash }
    const { host: _, ...signed } = sign(unsigned, credentials, region, now)
    const request = HttpClientRequest.make(method)(url.href, { headers: signed })
    const whole =
      bytes === undefined
        ? request
        : HttpClientRequest.setBody(request, HttpBody.stream(bytes.read, "application/pdf", bytes.size))
    return yield* http.execute(whole).pipe(Effect.provide(untracedCalls), Effect.mapError(noAnswer(operation)))
  })

  /** Says what a status that is not 2xx means. */
  const refuse = Effect.fnUntraced(function* (
    { key, operation }: Call,
    response: HttpClientResponse.HttpClientResponse
  ) {
    const text = yield* Effect.orElseSucceed(readText(response), () => "")
    const code = element(text, "Code")
    const { status } = response
    if (status === 404 && code !== "NoSuchBucket") return yield* new S3NotFound({ key })
    const reason = isExpired(code, element(text, "Message")) ? "too-late" : reasonOf(status, code)
    const now = yield* Clock.currentTimeMillis
    const serverTime = Date.parse(response.headers["date"] ?? "")
    const apart =
      reason === "clocks-apart" && !Number.isNaN(serverTime)
        ? `, whose clock is ${Duration.format(Duration.seconds(Math.abs(Math.round((serverTime - now) / 1000))))} ${serverTime > now ? "ahead" : "behind"}`
        : ""
    const said = [code, element(text, "Message")].filter((part) => part !== undefined && part !== "").join(": ")
    const detail = `the server answered ${status}${said === "" ? "" : ` (${said.slice(0, 200)})`}${apart}`
    return yield* failed(operation, reason, detail, retryAfterMillis(response.headers["retry-after"], now))
  })

  /** A refusal of HEAD has no body that would tell why, so the same is asked with GET. */
  const explain = (call: Call, response: HttpClientResponse.HttpClientResponse) =>
    call.method === "HEAD"
      ? Effect.flatMap(send({ ...call, method: "GET" }), (again) => refuse(call, again.status < 300 ? response : again))
      : refuse(call, response)

  const answered = Effect.fnUntraced(function* (call: Call) {
    const response = yield* call.method === "DELETE" ? sendRemoval(call) : send(call)
    return response.status >= 200 && response.status < 300 ? response : yield* explain(call, response)
  })

  const asText = (call: Call) =>
    answered(call).pipe(
      Effect.flatMap((response) => Effect.mapError(readText(response), noAnswer(call.operation))),
      within(call.operation, call.bytes?.size ?? 0),
      again
    )

  const sizeOf = ({ headers }: HttpClientResponse.HttpClientResponse, operation: string) => {
    const size = Number(headers["content-length"])
    return headers["content-length"] !== undefined && Number.isSafeInteger(size)
      ? Effect.succeed(size)
      : Effect.fail(failed(operation, "refused", "the server does not say how large the object is"))
  }

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
          Effect.map(sizeOf(response, call.operation), (size): ObjectHead => ({
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
      const size = yield* sizeOf(response, call.operation)
      const late = Effect.andThen(Effect.never, Effect.void).pipe(within(call.operation, size))
      const bytes = response.stream.pipe(Stream.mapError(noAnswer(call.operation)), Stream.interruptWhen(late))
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

const metaHeaders = (metadata: Metadata) =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]))

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
