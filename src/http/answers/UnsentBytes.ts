import { ServerResponse } from "node:http"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { ByteSize, Config, Context, Duration, Effect, Layer, Metric, Stream } from "effect"
import { HttpBody, HttpServerRequest, HttpServerResponse } from "effect/http"
import { KeyedLimit } from "../../services/KeyedLimit.ts"
import { byteSize, duration } from "../../services/config/ConfigValues.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { problemResponse, ServiceUnavailable, someTime, TooManyRequests } from "../api/problems/Problems.ts"
import { tenantOfRequest } from "../auth/RequestTenant.ts"
import { makeStalls } from "./Stalls.ts"

const defaults = {
  perTenant: ByteSize.mebibytes(64),
  total: ByteSize.mebibytes(256),
  stalledAfter: Duration.minutes(1)
}

export interface UnsentSettings {
  /** Limits for the answers of one tenant, and for all answers. */
  readonly perTenant: ByteSize.ByteSize
  readonly total: ByteSize.ByteSize
  /** A connection whose client receives nothing of its answer for so long is cut. */
  readonly stalledAfter: Duration.Duration
}

/** Limits on the memory for answers that clients have not read yet. */
export const UnsentLimits = Context.Reference<UnsentSettings>("sluice/http/answers/UnsentBytes/UnsentLimits", {
  defaultValue: () => defaults
})

/** `PER_TENANT_UNSENT_BYTES`, `MAX_UNSENT_BYTES` and `ANSWER_STALL_TIMEOUT`. */
export const UnsentConfig = Config.all({
  perTenant: byteSize("PER_TENANT_UNSENT_BYTES").pipe(Config.withDefault(defaults.perTenant)),
  total: byteSize("MAX_UNSENT_BYTES").pipe(Config.withDefault(defaults.total)),
  stalledAfter: duration("ANSWER_STALL_TIMEOUT").pipe(Config.withDefault(defaults.stalledAfter))
})

/** The limits from the environment. */
export const unsentLimitsFromEnv = Layer.effect(UnsentLimits, UnsentConfig)

/** A smaller answer fits in the buffers that every connection has anyway. */
const smallBytes = 16 * 1024
/** A larger one is written in pieces, so that a slow client is not mistaken for a stalled one. */
const largeBytes = 256 * 1024
const pieceBytes = 64 * 1024
/** Bytes that a stream of pages holds in memory at a time: about one read. */
export const streamBytes = 64 * 1024

type Refused = TooManyRequests | ServiceUnavailable

/** The key under which answers without a tenant are counted. */
const noTenant = ""

interface Held {
  readonly tenant: string
  readonly answer: ServerResponse
  bytes: number
  /** The connection has closed. Bytes counted from now on would never be released. */
  isOver: boolean
}

function* pieces(body: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < body.length; from += pieceBytes) yield body.subarray(from, from + pieceBytes)
}

/** Gives a refusal the headers of the answer that it replaces, except those about its body. */
const inPlaceOf = ({ headers }: HttpServerResponse.HttpServerResponse) => {
  const common = Object.entries(headers).filter(([name]) => !name.startsWith("content-") && name !== "etag")
  return (refused: HttpServerResponse.HttpServerResponse) => HttpServerResponse.setHeaders(refused, common)
}

const sizeOf = (chunks: ReadonlyArray<Uint8Array>): number => chunks.reduce((sum, { length }) => sum + length, 0)

/**
 * Counts the bytes of answers that are in memory until their clients have received them. An answer counts from the moment its
 * bytes are read until all are sent or its connection closes. Beyond the limits an answer is refused, unless it is the only one.
 */
export class UnsentBytes extends Context.Service<
  UnsentBytes,
  {
    /** Counts so many more bytes for the answer to this request, before they are read. */
    readonly hold: (bytes: number) => Effect.Effect<void, Refused, HttpServerRequest.HttpServerRequest>
    /** Refuses, before anything is read, if so many bytes do not fit; at most a quarter of the tenant's limit is asked for. */
    readonly room: (bytes: number) => Effect.Effect<void, Refused, HttpServerRequest.HttpServerRequest>
    /** Counts the bytes of any answer while they are sent, and cuts connections whose clients receive nothing. */
    readonly deliver: (
      request: HttpServerRequest.HttpServerRequest,
      response: HttpServerResponse.HttpServerResponse
    ) => Effect.Effect<HttpServerResponse.HttpServerResponse>
    /** Bytes counted for one tenant, or for all when none is named. */
    readonly bytes: (tenant?: string) => number
  }
>()("sluice/http/answers/UnsentBytes") {
  static readonly layer = Layer.effect(
    UnsentBytes,
    Effect.gen(function* () {
      const settings = yield* UnsentLimits
      const limits = {
        key: ByteSize.toNumberUnsafe(settings.perTenant),
        total: ByteSize.toNumberUnsafe(settings.total)
      }
      const unsent = new KeyedLimit<string>({ perKey: limits.key, total: limits.total })
      const answers = new WeakMap<ServerResponse, Held>()
      const report = Effect.suspend(() => Metric.update(Telemetry.httpUnsentBytes, unsent.held()))
      const watch = yield* makeStalls(settings.stalledAfter, report)

      /** The count for the answer, released when its connection closes. None if no socket of this server sends the answer. */
      const heldOf = (request: HttpServerRequest.HttpServerRequest): Held | undefined => {
        const answer: unknown = NodeHttpServerRequest.toServerResponse(request)
        if (!(answer instanceof ServerResponse) || answer.destroyed) return undefined
        const known = answers.get(answer)
        if (known !== undefined) return known
        const held: Held = { tenant: tenantOfRequest(request) ?? noTenant, answer, bytes: 0, isOver: false }
        answers.set(answer, held)
        answer.once("close", () => {
          unsent.add(held.tenant, -held.bytes)
          held.bytes = 0
          held.isOver = true
          answers.delete(answer)
        })
        return held
      }

      const refusal = (by: "key" | "total"): Refused => {
        const limit = limits[by]
        const advice = "Read the answers that are under way, or ask for smaller ones."
        const known = { advice, limit, retryAfter: someTime }
        return by === "key"
          ? new TooManyRequests({
              code: "TENANT_UNSENT_BYTES",
              detail: `the tenant's answers that were not read yet hold their limit of ${limit} bytes`,
              ...known
            })
          : new ServiceUnavailable({
              code: "GLOBAL_UNSENT_BYTES",
              detail: `the answers that were not read yet hold their limit of ${limit} bytes`,
              ...known
            })
      }

      const refuse = (by: "key" | "total") =>
        Effect.andThen(
          Metric.update(Telemetry.httpUnsentRefused.of(by === "key" ? "tenant" : "global"), 1),
          Effect.fail(refusal(by))
        )

      const grow = (held: Held, bytes: number): Effect.Effect<void, Refused> => {
        if (held.isOver) return Effect.void
        const limit = unsent.take(held.tenant, bytes)
        if (limit !== undefined) return refuse(limit)
        held.bytes += bytes
        return Effect.void
      }

      const set = (held: Held, bytes: number) => {
        if (held.isOver) return
        unsent.add(held.tenant, bytes - held.bytes)
        held.bytes = bytes
      }

      /** Each piece counts until the next one is pulled: by then the connection has accepted it. */
      const counted = (held: Held, body: HttpBody.Stream) => {
        const least = held.bytes
        return HttpBody.stream(
          body.stream.pipe(
            Stream.mapArray((chunks) => {
              set(held, Math.max(least, sizeOf(chunks)))
              return chunks
            })
          ),
          body.contentType,
          body.contentLength
        )
      }

      const send = Effect.fnUntraced(function* (
        held: Held,
        response: HttpServerResponse.HttpServerResponse,
        body: HttpBody.Uint8Array
      ) {
        const { contentLength: length, contentType } = body
        // A body with an ETag is shared by all answers and is in memory only once.
        const own = response.headers["etag"] === undefined ? length : 0
        if (own > held.bytes) yield* grow(held, own - held.bytes)
        else set(held, own)
        yield* watch(held.answer)
        if (length < largeBytes) return response
        const stream = Stream.fromIterable(pieces(body.body), { chunkSize: 1 })
        return HttpServerResponse.setBody(response, HttpBody.stream(stream, contentType, length))
      })

      return UnsentBytes.of({
        hold: (bytes) =>
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
            const held = heldOf(request)
            return held === undefined ? Effect.void : grow(held, bytes)
          }),
        room: (bytes) =>
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
            const limit = unsent.against(tenantOfRequest(request) ?? noTenant, Math.min(bytes, limits.key / 4))
            return limit === undefined ? Effect.void : refuse(limit)
          }),
        deliver: (request, response) => {
          const { body } = response
          if (body._tag === "Uint8Array" && body.contentLength < smallBytes) return Effect.succeed(response)
          const held = heldOf(request)
          if (held === undefined) return Effect.succeed(response)
          switch (body._tag) {
            case "Stream":
              return Effect.as(watch(held.answer), HttpServerResponse.setBody(response, counted(held, body)))
            case "Uint8Array":
              return send(held, response, body).pipe(
                Effect.catch((refused) => Effect.map(problemResponse(refused), inPlaceOf(response)))
              )
            default:
              return Effect.succeed(response)
          }
        },
        bytes: (tenant) => unsent.held(tenant)
      })
    })
  )
}
