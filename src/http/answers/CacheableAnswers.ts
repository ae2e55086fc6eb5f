import { createHash } from "node:crypto"
import { Effect } from "effect"
import { type HttpBody, HttpServerRequest, HttpServerResponse } from "effect/http"

/** The path prefix of the dashboard's files, which contain no data of any tenant. */
export const dashboardPath = "/dashboard/"

const paths: ReadonlySet<string> = new Set(["/", "/docs", "/openapi.json"])

/** Whether the answer is built once and is the same for every caller. */
const isShared = ({ url }: HttpServerRequest.HttpServerRequest): boolean =>
  url.startsWith(dashboardPath) || paths.has(url.split("?", 1)[0] ?? "")

/** Whether the client's `If-None-Match` names this answer. Compression does not change the ETag. */
export const isKnown = (known: string | undefined, etag: string): boolean =>
  known !== undefined && known.split(",").some((each) => each.trim().replace(/^W\//, "") === etag)

const etagOf = (bytes: Uint8Array): string => `"${createHash("sha256").update(bytes).digest("base64url")}"`

/** Clients may cache the description of the interface and the dashboard: an ETag tells whether they have changed. */
export const makeCacheable = () => {
  const etags = new WeakMap<HttpBody.HttpBody, string>()

  const withEtag = (
    request: HttpServerRequest.HttpServerRequest,
    response: HttpServerResponse.HttpServerResponse
  ): HttpServerResponse.HttpServerResponse => {
    const { body } = response
    if (response.status !== 200 || body._tag !== "Uint8Array") return response
    const etag = etags.get(body) ?? etagOf(body.body)
    etags.set(body, etag)
    const vary = [response.headers["vary"] ?? [], "Accept-Encoding"].flat().join(", ")
    const headers = { etag, "cache-control": "no-cache" }
    return isKnown(request.headers["if-none-match"], etag)
      ? HttpServerResponse.empty({ status: 304, headers: { ...headers, vary } })
      : HttpServerResponse.setHeaders(response, headers)
  }

  return <E, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      isShared(request) ? Effect.map(route, (response) => withEtag(request, response)) : route
    )
}
