import { type Context, Effect, Layer, Semaphore } from "effect"
import { type HttpBody, HttpMiddleware, HttpPlatform, HttpServerResponse } from "effect/http"

/** Below it, what compression saves is not worth its time; and no answer with a secret in it is larger. */
const leastBytes = 4 * 1024
/** Of the threads that also bring commits to the disk. */
const atOnce = 2

const isType = (...types: ReadonlyArray<string>) => {
  const wanted = new Set(types)
  return (contentType: string) => wanted.has((contentType.split(";", 1)[0] ?? "").trim().toLowerCase())
}

const wholes = isType(
  "application/json",
  "application/problem+json",
  "text/html",
  "text/css",
  "text/javascript",
  "image/svg+xml"
)
/** Streams take the method that needs the least memory for each of them. Events are no part of these: they are live. */
const streams = isType("application/x-ndjson", "text/plain")

/** Larger answers in the coding that the client prefers, if any. Live answers opt out by themselves. */
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

/** The same compressed body, with what its headers say of it. */
const asBefore = (
  response: HttpServerResponse.HttpServerResponse,
  { body, headers }: HttpServerResponse.HttpServerResponse
) => {
  const told = Object.entries(headers).filter(
    ([name]) => name === "etag" || name === "vary" || name.startsWith("content-enc")
  )
  return HttpServerResponse.setHeaders(HttpServerResponse.setBody(response, body), told)
}

/** What is the same for all is compressed once: bodies with an ETag live as long as the server. */
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

/** Few at a time: each takes a thread for as long as it lasts. */
const bounded = (compression: HttpPlatform.Compression, turns: Semaphore.Semaphore): HttpPlatform.Compression => ({
  ...compression,
  compressResponse: (response, algorithm, options) =>
    response.body._tag === "Uint8Array"
      ? turns.withPermit(compression.compressResponse(response, algorithm, options))
      : compression.compressResponse(response, algorithm, options)
})

type Platform = Context.Service.Shape<typeof HttpPlatform.HttpPlatform>

/** The platform, with compression that neither takes all threads nor does the same work twice. */
export const layer = Layer.effect(
  HttpPlatform.HttpPlatform,
  Effect.gen(function* () {
    const platform: Platform = yield* HttpPlatform.HttpPlatform
    const turns = yield* Semaphore.make(atOnce)
    return { ...platform, compression: remembering(bounded(platform.compression, turns)) }
  })
)
