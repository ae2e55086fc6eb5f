import { type Context, Effect, Layer, Semaphore } from "effect"
import { type HttpBody, HttpMiddleware, HttpPlatform, HttpServerResponse } from "effect/http"

/** Compressing a smaller answer costs more than it saves. No answer that contains a secret is larger than this. */
const leastBytes = 4 * 1024
/** Threads used for compression, from the pool that also flushes commits to the disk. */
const atOnce = 2

const isType = (...types: ReadonlyArray<string>) => {
  const compressible = new Set(types)
  return (contentType: string) => compressible.has((contentType.split(";", 1)[0] ?? "").trim().toLowerCase())
}

const wholes = isType(
  "application/json",
  "application/problem+json",
  "text/html",
  "text/css",
  "text/javascript",
  "image/svg+xml"
)
/** Streams are compressed with gzip, which needs the least memory per stream. Event streams are live and are not compressed. */
const streams = isType("application/x-ndjson", "text/plain")

/** Compresses larger answers in the coding that the client prefers, if any. Live answers opt out with their own headers. */
export const middleware = <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  app.pipe(
    HttpMiddleware.compression({
      algorithms: ["zstd", "gzip"],
      minSize: leastBytes,
      compressible: wholes,
      levels: { gzip: 4 }
    }),
    HttpMiddleware.compression({
      algorithms: ["gzip"],
      minSize: leastBytes,
      compressible: streams,
      levels: { gzip: 4 }
    })
  )

/** The response with the body that was compressed before, and with the headers that describe that body. */
const asBefore = (
  response: HttpServerResponse.HttpServerResponse,
  { body, headers }: HttpServerResponse.HttpServerResponse
) => {
  const copied = Object.entries(headers).filter(
    ([name]) => name === "etag" || name === "vary" || name.startsWith("content-enc")
  )
  return HttpServerResponse.setHeaders(HttpServerResponse.setBody(response, body), copied)
}

/** Compresses each body that has an ETag only once: such a body is the same for all and lives as long as the server. */
const remembering = (compression: HttpPlatform.Compression): HttpPlatform.Compression => {
  const known = new WeakMap<HttpBody.HttpBody, Map<string, HttpServerResponse.HttpServerResponse>>()
  return {
    ...compression,
    compressResponse: (response, algorithm, options) => {
      if (response.headers["etag"] === undefined) return compression.compressResponse(response, algorithm, options)
      const codings = known.get(response.body) ?? new Map<string, HttpServerResponse.HttpServerResponse>()
      known.set(response.body, codings)
      const before = codings.get(algorithm)
      if (before !== undefined) return Effect.succeed(asBefore(response, before))
      return Effect.map(compression.compressResponse(response, algorithm, options), (compressed) => {
        codings.set(algorithm, compressed)
        return compressed
      })
    }
  }
}

/** Limits how many bodies are compressed at once: each occupies a thread until it is done. */
const bounded = (compression: HttpPlatform.Compression, turns: Semaphore.Semaphore): HttpPlatform.Compression => ({
  ...compression,
  compressResponse: (response, algorithm, options) =>
    response.body._tag === "Uint8Array"
      ? turns.withPermit(compression.compressResponse(response, algorithm, options))
      : compression.compressResponse(response, algorithm, options)
})

type Platform = Context.Service.Shape<typeof HttpPlatform.HttpPlatform>

/** The HTTP platform with compression that leaves threads free and compresses shared bodies only once. */
export const layer = Layer.effect(
  HttpPlatform.HttpPlatform,
  Effect.gen(function* () {
    const platform: Platform = yield* HttpPlatform.HttpPlatform
    const turns = yield* Semaphore.make(atOnce)
    return { ...platform, compression: remembering(bounded(platform.compression, turns)) }
  })
)
