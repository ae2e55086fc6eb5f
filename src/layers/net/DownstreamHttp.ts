import type { IncomingMessage } from "node:http"
import { Config, Duration, Effect, Layer, Redacted, Result, Schema } from "effect"
import { parseRetryAfter } from "../../domain/net/RetryAfter.ts"
import { parseHttpUrl, portOf } from "../../domain/net/HttpUrl.ts"
import { noPrivateHosts, parsePrivateHosts } from "../../domain/net/PrivateHosts.ts"
import {
  type DownstreamAnswer,
  DownstreamHttp,
  DownstreamRejected,
  type DownstreamRequest
} from "../../services/downstreams/DownstreamHttp.ts"
import { FarSideRefused, FarSideTimeout, FarSideUnavailable } from "../../services/downstreams/Downstreams.ts"
import { DownstreamsConfig } from "../../services/downstreams/DownstreamsConfig.ts"
import type { DownstreamSettings } from "../../services/downstreams/DownstreamSettings.ts"
import { readBody } from "./BoundedBody.ts"
import { type GuardedHttp, makeGuardedHttp } from "./GuardedHttp.ts"

/** A secret that settings name is not in the environment. */
export class SecretMissing extends Schema.TaggedError<SecretMissing>()("SecretMissing", {
  downstream: Schema.String,
  header: Schema.String,
  variable: Schema.String
}) {
  override get message() {
    return `downstreams.${this.downstream}.headers.${this.header}: the environment variable ${this.variable} is not set`
  }
}

interface Target {
  readonly url: URL
  readonly headers: Readonly<Record<string, Redacted.Redacted>>
  /** What of the headers comes from the environment. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  readonly settings: DownstreamSettings
  readonly http: GuardedHttp
}

const secretsOf = Effect.fnUntraced(function* (name: string, settings: DownstreamSettings) {
  const headers: Record<string, Redacted.Redacted> = {}
  const secrets: Array<Redacted.Redacted> = []
  for (const [header, value] of Object.entries(settings.headers ?? {})) {
    if (typeof value === "string") headers[header.toLowerCase()] = Redacted.make(value)
    else {
      const missing = new SecretMissing({ downstream: name, header, variable: value.env })
      const secret = yield* Effect.mapError(Config.Redacted(value.env), () => missing)
      headers[header.toLowerCase()] = Redacted.make(`${value.prefix ?? ""}${Redacted.value(secret)}`)
      secrets.push(secret)
    }
  }
  return { headers, secrets }
})

/** The host that the operator named may be private, and no other. */
const hostsOf = (url: URL, { network }: DownstreamSettings) =>
  network === "public"
    ? noPrivateHosts
    : Result.getOrElse(parsePrivateHosts(`${url.hostname}:${portOf(url)}`), () => noPrivateHosts)

const targetOf = Effect.fnUntraced(function* (name: string, settings: DownstreamSettings) {
  const url = settings.url === undefined ? undefined : Result.getOrUndefined(parseHttpUrl(settings.url))
  if (url === undefined) return undefined
  const target: Target = {
    url,
    settings,
    ...(yield* secretsOf(name, settings)),
    http: yield* makeGuardedHttp(hostsOf(url, settings))
  }
  return target
})

/** `https://host/base` and `/path?query` are `https://host/base/path?query`. */
const urlOf = (base: URL, path = ""): URL => {
  const url = new URL(base.href)
  // A query may hold further question marks.
  const at = path.includes("?") ? path.indexOf("?") : path.length
  const pathname = path.slice(0, at)
  if (pathname !== "") url.pathname = `${base.pathname.replace(/\/$/, "")}/${pathname.replace(/^\//, "")}`
  if (at < path.length) url.search = path.slice(at)
  return url
}

const lowerCase = (headers: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const plain = (headers: IncomingMessage["headers"]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value
      return first === undefined ? [] : [[name, first]]
    })
  )

/** Statuses that say that the operator's settings are wrong, whatever the page. */
const credentialsRefused: ReadonlySet<number> = new Set([401, 403, 407])

/** The begin of what the far side says. Some repeat what they were sent; tenants see this. */
const excerptOf = (body: Uint8Array, secrets: Target["secrets"]): string =>
  secrets
    .map(Redacted.value)
    .reduce(
      (text, secret) => (secret === "" ? text : text.replaceAll(secret, "[secret]")),
      new TextDecoder().decode(body.subarray(0, 4_000))
    )
    .slice(0, 1_000)

/** The answer of a status, or the error that it stands for. */
const judge = Effect.fnUntraced(function* (
  name: string,
  { body, headers, status }: DownstreamAnswer,
  secrets: Target["secrets"]
) {
  if (status >= 200 && status <= 299) return { body, headers, status }
  const millis = yield* parseRetryAfter(headers["retry-after"])
  const retryAfter = millis === undefined ? {} : { retryAfterMillis: millis }
  if (status === 429 || status === 503) return yield* new FarSideRefused({ status, ...retryAfter })
  const detail = `it answered with status ${status}`
  if (credentialsRefused.has(status)) return yield* new FarSideUnavailable({ detail, permanent: true })
  if (status >= 500 || status === 408) return yield* new FarSideUnavailable({ detail, ...retryAfter })
  const excerpt = excerptOf(body, secrets)
  return yield* new DownstreamRejected({ downstream: name, status, excerpt })
})

const exchange = Effect.fnUntraced(function* (
  name: string,
  { headers, http, secrets, settings, url }: Target,
  request: DownstreamRequest
) {
  const { connect, firstByte } = settings.timeout
  const { body } = request
  const sent = http.exchange({
    url: urlOf(url, request.path),
    method: request.method ?? "POST",
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, Redacted.value(value)])),
      "accept-encoding": "identity",
      ...lowerCase(request.headers),
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) })
    },
    body,
    connectTimeout: connect
  })
  const late = `no answer began within ${Duration.format(Duration.millis(firstByte ?? 0))}`
  const response = yield* firstByte === undefined
    ? sent
    : Effect.timeoutOrElse(sent, {
        duration: firstByte,
        orElse: () => Effect.fail(new FarSideTimeout({ detail: late }))
      })
  const status = response.statusCode ?? 0
  const bytes = yield* readBody(response, settings.maxAnswerBytes)
  if (bytes === "too large") {
    const excerpt = `its answer is larger than ${settings.maxAnswerBytes} bytes`
    return yield* new DownstreamRejected({ downstream: name, status, excerpt })
  }
  return yield* judge(name, { status, headers: plain(response.headers), body: bytes }, secrets)
}, Effect.scoped)

/** Over HTTP, to the URLs of `DownstreamsConfig`; the secrets that it names have to be in the environment. */
export const layer = Layer.effect(
  DownstreamHttp,
  Effect.gen(function* () {
    const targets = new Map<string, Target>()
    for (const [name, settings] of Object.entries(yield* DownstreamsConfig)) {
      const target = yield* targetOf(name, settings)
      if (target !== undefined) targets.set(name, target)
    }
    return DownstreamHttp.of({
      send: Effect.fn("DownstreamHttp.send")(function* (name, request) {
        const target = targets.get(name)
        if (target === undefined) {
          return yield* new FarSideUnavailable({ detail: `the downstream ${name} has no url`, permanent: true })
        }
        return yield* exchange(name, target, request).pipe(
          Effect.catchTags({
            AddressRefused: ({ message }) => Effect.fail(new FarSideUnavailable({ detail: message, permanent: true })),
            ExchangeFailed: ({ message }) => Effect.fail(new FarSideUnavailable({ detail: message }))
          })
        )
      })
    })
  })
)
