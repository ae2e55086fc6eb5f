import { Clock, Context, Effect, type Stream } from "effect"
import { HttpBody, HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import { S3Failed, type S3Reason } from "./S3Error.ts"
import type { S3Access } from "./S3Settings.ts"
import { emptyHash, encodePath, encodeQuery, presign, sign } from "./Signature.ts"

// Sends one call, signed.

/** Bytes to store, which can be read again for another try. */
export interface ObjectBytes {
  readonly size: number
  /** SHA-256 in hex. The server refuses other bytes. */
  readonly hash: string
  readonly read: Stream.Stream<Uint8Array, unknown>
}

export interface Call {
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

/** The store's methods have spans; calls have none of their own, and no trace goes to the server. */
const untracedCalls = Context.make(HttpClient.TracerDisabledWhen, () => true).pipe(
  Context.add(HttpClient.TracerPropagationEnabled, false)
)

const describeMissingAnswer = (error: HttpClientError.HttpClientError) => {
  const { cause } = error.reason
  if (!(cause instanceof Error)) return "the connection broke"
  const code = "code" in cause ? String(cause.code) : cause.name
  return `there is no connection (${code})`
}

export const failure = (bucket: string, operation: string, reason: S3Reason, detail: string, wait?: number) =>
  new S3Failed({ reason, bucket, operation, detail, ...(wait === undefined ? {} : { retryAfterMillis: wait }) })

export const noAnswer = (bucket: string, operation: string) => (error: HttpClientError.HttpClientError) =>
  failure(bucket, operation, "unreachable", describeMissingAnswer(error))

/** Sends calls of one bucket. Any answer is a success. */
export const makeSend = Effect.fnUntraced(function* (access: S3Access, name: string) {
  const http = yield* HttpClient.HttpClient
  const { credentials, endpoint = new URL(`https://s3.${access.region}.amazonaws.com`), pathStyle, region } = access
  const base = `${endpoint.protocol}//${pathStyle ? "" : `${name}.`}${endpoint.host}`
  const root = `${endpoint.pathname.replace(/\/$/, "")}${pathStyle ? `/${encodePath(name)}` : ""}`

  const execute = (operation: string, request: HttpClientRequest.HttpClientRequest) =>
    http.execute(request).pipe(Effect.provide(untracedCalls), Effect.mapError(noAnswer(name, operation)))

  const sendRemoval = Effect.fnUntraced(function* ({ key, operation, until = Number.POSITIVE_INFINITY }: Call) {
    const now = yield* Clock.currentTimeMillis
    const seconds = Math.min(removalSeconds, Math.floor((until - now) / 1000))
    if (seconds < 1) return yield* failure(name, operation, "too-late", "the right to remove it has run out")
    const url = presign("DELETE", new URL(`${base}${root}/${encodePath(key)}`), credentials, region, now, seconds)
    return yield* execute(operation, HttpClientRequest.make("DELETE")(url.href))
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
    return yield* execute(operation, whole)
  })

  return (call: Call) => (call.method === "DELETE" ? sendRemoval(call) : send(call))
})
