import { Cause, Effect, Schema, Stream } from "effect"
import { HttpIncomingMessage, type HttpServerError, type HttpServerRequest, Multipart } from "effect/http"
import { BadRequest, ContentTooLarge, RequestTimeout } from "../api/problems/Problems.ts"
import { smallBodyOf } from "./SmallBody.ts"

/** The bytes of an upload, pulled on demand: nothing is read ahead of the consumer. */

/** The sender went silent in the middle of the body. */
export class UploadStalled extends Schema.TaggedError<UploadStalled>()("UploadStalled", {}) {}

const longestSilence = "30 seconds"

/** The Content-Length of the body; undefined for a chunked one. Node enforces it. */
export const lengthOf = ({ headers }: HttpServerRequest.HttpServerRequest): number | undefined => {
  const length = headers["content-length"]
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

const notSilent = <A, E, R>(wait: Effect.Effect<A, E, R>) =>
  Effect.timeoutOrElse(wait, { duration: longestSilence, orElse: () => Effect.fail(new UploadStalled()) })

/**
 * The body, with a limit on silence that applies only during a pull: a timeout per pull costs far less than one on the stream. A
 * body of known length ends with its last byte, without waiting for the end of the request.
 */
export const bodyOf = (
  request: HttpServerRequest.HttpServerRequest
): Stream.Stream<Uint8Array, UploadStalled | HttpServerError.HttpServerError> => {
  const small = smallBodyOf(request, lengthOf(request), notSilent)
  return small ?? streamOf(request)
}

const streamOf = (request: HttpServerRequest.HttpServerRequest) =>
  Stream.transformPull(request.stream, (pull) =>
    Effect.sync(() => {
      let left = lengthOf(request) ?? Number.POSITIVE_INFINITY
      const next = notSilent(pull).pipe(
        Effect.map((chunks) => {
          for (const { length } of chunks) left -= length
          return chunks
        })
      )
      return Effect.suspend(() => (left > 0 ? next : Cause.done()))
    })
  )

/** Limits of a form, except for the size of files, which the engine limits. */
const limits = { maxParts: 10_000, maxFieldSize: "8 KiB" } as const

/**
 * The parts of a form. The content of a file must be consumed before the next part is pulled; otherwise the rest of it
 * accumulates in memory.
 */
export const partsOf = (request: HttpServerRequest.HttpServerRequest) =>
  bodyOf(request).pipe(
    Stream.pipeThroughChannel(Multipart.makeChannel(request.headers)),
    Stream.provideContext(Multipart.limitsServices(limits)),
    // The limit for bodies that are held in memory does not apply to streams.
    Stream.provideService(HttpIncomingMessage.MaxBodySize, undefined)
  )

/** Discards up to `allowance` bytes and returns the rest of the allowance: 0 when the stream has more bytes. */
export const drain = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>, allowance: number) =>
  Effect.suspend(() => {
    let left = allowance
    return Effect.map(
      Stream.runForEachWhile(bytes, (chunk) => Effect.succeed((left -= chunk.length) > 0)),
      () => Math.max(0, left)
    )
  })

export type BodyError = UploadStalled | HttpServerError.HttpServerError | Multipart.MultipartError

const bodyErrors: ReadonlySet<string> = new Set<BodyError["_tag"]>([
  "UploadStalled",
  "HttpServerError",
  "MultipartError"
])
export const isBodyError = <E extends { readonly _tag: string }>(error: E | BodyError): error is BodyError =>
  bodyErrors.has(error._tag)

const stalled = () =>
  new RequestTimeout({
    code: "UPLOAD_STALLED",
    detail: `no byte arrived for ${longestSilence}; nothing of the request was kept`,
    advice: "Send the request again."
  })

const incomplete = () =>
  new BadRequest({ code: "BODY_INCOMPLETE", detail: "the body broke off; nothing of the request was kept" })

const formProblem = ({ reason }: Multipart.MultipartError) => {
  switch (reason._tag) {
    // The parser wraps errors of its input stream like this.
    case "InternalError":
      return reason.cause instanceof UploadStalled ? stalled() : incomplete()
    case "Parse":
      return new BadRequest({
        code: "MALFORMED_MULTIPART",
        detail: "the multipart form is malformed or broke off; nothing of the request was kept"
      })
    case "TooManyParts":
      return new ContentTooLarge({
        code: "TOO_MANY_PARTS",
        detail: `a form has at most ${limits.maxParts} parts`,
        limit: limits.maxParts
      })
    default:
      return new ContentTooLarge({ code: "FIELD_TOO_LARGE", detail: `a field has at most ${limits.maxFieldSize}` })
  }
}

export const bodyProblem = (error: BodyError): RequestTimeout | BadRequest | ContentTooLarge => {
  switch (error._tag) {
    case "UploadStalled":
      return stalled()
    case "HttpServerError":
      return incomplete()
    case "MultipartError":
      return formProblem(error)
  }
}
