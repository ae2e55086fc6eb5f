import { Context, Effect } from "effect"
import { HttpServerResponse, type HttpServerRequest } from "effect/http"
import type { HttpApiEndpoint } from "effect/http-api"
import { JsonBody } from "../api/schemas/JsonBody.ts"
import { refuseFor, requestError } from "../api/problems/InvalidRequest.ts"
import { BadRequest, ContentTooLarge, problemResponse, UnsupportedMediaType } from "../api/problems/Problems.ts"
import { smallBody } from "./LargeBodies.ts"

/** Checks on a body that need only the head of its request, made before any of the body is read. */

type Head = Pick<HttpServerRequest.HttpServerRequest, "headers">

export const hasBody = ({ headers }: Head): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

export const takesJson = (endpoint: HttpApiEndpoint.Top): boolean => endpoint.payload.has("application/json")

/** Whether the body may be so large that it counts against the limit of `LargeBodies.ts`. */
export const isLarge = ({ headers }: Head, endpoint: HttpApiEndpoint.Top): boolean =>
  Context.get(endpoint.annotations, JsonBody).bytes > smallBody &&
  Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) > smallBody

export const tooLarge = (bytes: number) =>
  new ContentTooLarge({ code: "BODY_TOO_LARGE", detail: `the body has more than ${bytes} bytes`, limit: bytes })

const notExpected = new BadRequest({
  code: "BODY_NOT_EXPECTED",
  detail: "the request has a body, and this endpoint takes none",
  advice: "Send it without a body; /openapi.json says where settings go."
})

const encoded = new UnsupportedMediaType({
  code: "UNSUPPORTED_ENCODING",
  detail: "the body is compressed or otherwise encoded",
  advice: "Send it as it is, without Content-Encoding."
})

const partial = refuseFor([
  requestError("headers", "content-range", "Unknown; a body is a whole, and cannot be sent in ranges")
])

const notJson = new UnsupportedMediaType({
  code: "UNSUPPORTED_MEDIA_TYPE",
  detail: "the body is not JSON",
  advice: "Send the header content-type: application/json."
})

const otherCharset = new UnsupportedMediaType({
  code: "UNSUPPORTED_CHARSET",
  detail: "the body has another charset than UTF-8",
  advice: "Send it as UTF-8, which is what JSON is."
})

/** RFC 9110 asks for this header when the encoding of a body is refused. */
const acceptEncoding = HttpServerResponse.setHeader("accept-encoding", "identity")

const charsetOf = (contentType: string): string | undefined =>
  /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType)?.[1]?.toLowerCase()

const jsonProblem = ({ headers }: Head, { bytes }: { readonly bytes: number }) => {
  const contentType = headers["content-type"] ?? "application/json"
  if (contentType.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") return notJson
  const charset = charsetOf(contentType)
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8" && charset !== "us-ascii") return otherCharset
  return Number(headers["content-length"] ?? 0) > bytes ? tooLarge(bytes) : undefined
}

const isEncoded = ({ headers }: Head): boolean =>
  (headers["content-encoding"] ?? "identity").trim().toLowerCase() !== "identity" ||
  (headers["transfer-encoding"] ?? "chunked").trim().toLowerCase() !== "chunked"

/** The refusal of a request whose head rules out a body that the endpoint accepts; otherwise undefined. */
export const bodyRefusal = (
  request: Head,
  endpoint: HttpApiEndpoint.Top
): Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined => {
  if (!hasBody(request)) return undefined
  if (endpoint.payload.size === 0) return problemResponse(notExpected)
  if (isEncoded(request)) return Effect.map(problemResponse(encoded), acceptEncoding)
  if (request.headers["content-range"] !== undefined) return problemResponse(partial)
  const problem = takesJson(endpoint) ? jsonProblem(request, Context.get(endpoint.annotations, JsonBody)) : undefined
  return problem === undefined ? undefined : problemResponse(problem)
}
