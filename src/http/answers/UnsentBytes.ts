import { ByteSize, Context, Effect, Layer, Metric, Stream } from "effect"
import { HttpBody, HttpServerRequest, HttpServerResponse } from "effect/http"
import { KeyedLimit } from "../../services/KeyedLimit.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { problemResponse } from "../api/problems/Problems.ts"
import { makeStalls } from "./Stalls.ts"
import { keyOf, type UnsentAnswer, UnsentAnswers } from "./UnsentAnswers.ts"
import { UnsentLimits } from "./UnsentLimits.ts"
import { refuseUnsent, type UnsentRefusal } from "./UnsentRefusal.ts"

/** A smaller answer fits in the buffers that every connection has anyway. */
const smallBytes = 16 * 1024
/** A larger one is written in pieces, so that a slow client is not mistaken for a stalled one. */
const largeBytes = 256 * 1024
const pieceBytes = 64 * 1024
/** Bytes that a stream of pages holds in memory at a time: about one read. */
export const streamBytes = 64 * 1024

function* pieces(body: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < body.length; from += pieceBytes) yield body.subarray(from, from + pieceBytes)
}

/** Gives a refusal the headers of the answer that it replaces, except those about its body. */
const inPlaceOf = ({ headers }: HttpServerResponse.HttpServerResponse) => {
  const common = Object.entries(headers).filter(([name]) => !name.startsWith("content-") && name !== "etag")
  return (refused: HttpServerResponse.HttpServerResponse) => HttpServerResponse.setHeaders(refused, common)
}

const sizeOf = (chunks: ReadonlyArray<Uint8Array>): number => chunks.reduce((sum, { length }) => sum + length, 0)

/** Each piece counts until the next one is pulled: by then the connection has accepted it. */
const counted = (answer: UnsentAnswer, body: HttpBody.Stream) => {
  const least = answer.bytes
  return HttpBody.stream(
    body.stream.pipe(
      Stream.mapArray((chunks) => {
        answer.set(Math.max(least, sizeOf(chunks)))
        return chunks
      })
    ),
    body.contentType,
    body.contentLength
  )
}

/** A large body as a stream of pieces, so that its connection shows progress. */
const inPieces = (response: HttpServerResponse.HttpServerResponse, body: HttpBody.Uint8Array) => {
  if (body.contentLength < largeBytes) return response
  const stream = Stream.fromIterable(pieces(body.body), { chunkSize: 1 })
  return HttpServerResponse.setBody(response, HttpBody.stream(stream, body.contentType, body.contentLength))
}

/**
 * Counts the bytes of answers that are in memory until their clients have received them. An answer counts from the moment its
 * bytes are read until all are sent or its connection closes. Beyond the limits an answer is refused, unless it is the only one.
 */
export class UnsentBytes extends Context.Service<
  UnsentBytes,
  {
    /** Counts so many more bytes for the answer to this request, before they are read. */
    readonly hold: (bytes: number) => Effect.Effect<void, UnsentRefusal, HttpServerRequest.HttpServerRequest>
    /** Refuses, before anything is read, if so many bytes do not fit; at most a quarter of the tenant's limit is asked for. */
    readonly room: (bytes: number) => Effect.Effect<void, UnsentRefusal, HttpServerRequest.HttpServerRequest>
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
      const answers = new UnsentAnswers(unsent)
      const report = Effect.suspend(() => Metric.update(Telemetry.httpUnsentBytes, unsent.held()))
      const watch = yield* makeStalls(settings.stalledAfter, report)

      const unlessRefused = (limit: "key" | "total" | undefined): Effect.Effect<void, UnsentRefusal> =>
        limit === undefined ? Effect.void : refuseUnsent(limit, limits)

      const send = Effect.fnUntraced(function* (
        answer: UnsentAnswer,
        response: HttpServerResponse.HttpServerResponse,
        body: HttpBody.Uint8Array
      ) {
        // A body with an ETag is shared by all answers and is in memory only once.
        const own = response.headers["etag"] === undefined ? body.contentLength : 0
        if (own > answer.bytes) yield* unlessRefused(answer.grow(own - answer.bytes))
        else answer.set(own)
        yield* watch(answer.response)
        return inPieces(response, body)
      })

      return UnsentBytes.of({
        hold: (bytes) =>
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
            unlessRefused(answers.of(request)?.grow(bytes))
          ),
        room: (bytes) =>
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
            unlessRefused(unsent.against(keyOf(request), Math.min(bytes, limits.key / 4)))
          ),
        deliver: (request, response) => {
          const { body } = response
          if (body._tag === "Uint8Array" && body.contentLength < smallBytes) return Effect.succeed(response)
          const answer = answers.of(request)
          if (answer === undefined) return Effect.succeed(response)
          switch (body._tag) {
            case "Stream":
              return Effect.as(watch(answer.response), HttpServerResponse.setBody(response, counted(answer, body)))
            case "Uint8Array":
              return send(answer, response, body).pipe(
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
