import { join } from "node:path"
import { Effect, FileSystem, Layer } from "effect"
import { HttpBody, HttpRouter, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { etagOf, isKnown } from "../answers/CacheableAnswers.ts"

/**
 * The dashboard: plain files in the folder `dashboard`, which lies as far above this module in the sources as in the package.
 * They are read once, at start. Only clients that ask for HTML get the page from `/`; programs get what they always got.
 */
const folder = join(import.meta.dirname, "../../../dashboard")

/** The path prefix of the page's files, which contain no data of any tenant. */
export const dashboardPath = "/dashboard/"

const mediaTypes = new Map([
  ["css", "text/css; charset=utf-8"],
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["svg", "image/svg+xml"]
])

/** Forbids inline scripts and other origins, and text can never become markup. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

interface Asset {
  /** The same object for every answer: compressed bodies are cached under it. */
  readonly body: HttpBody.HttpBody
  readonly mediaType: string
  readonly etag: string
}

const readAssets = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const assets = new Map<string, Asset>()
  for (const name of yield* files.readDirectory(folder)) {
    const mediaType = mediaTypes.get(name.slice(name.lastIndexOf(".") + 1))
    if (mediaType === undefined) continue
    const bytes = yield* files.readFile(join(folder, name))
    assets.set(name, { body: HttpBody.uint8Array(bytes, mediaType), mediaType, etag: etagOf(bytes) })
  }
  return assets
})

const headersOf = ({ etag, mediaType }: Asset) => ({
  "cache-control": "no-cache",
  etag,
  "referrer-policy": "no-referrer",
  ...(mediaType.startsWith("text/html") ? { "content-security-policy": contentSecurityPolicy, vary: "accept" } : {})
})

const answer = (request: HttpServerRequest.HttpServerRequest, asset: Asset) => {
  const headers = headersOf(asset)
  return isKnown(request.headers["if-none-match"], asset.etag)
    ? HttpServerResponse.empty({ status: 304, headers })
    : HttpServerResponse.setBody(HttpServerResponse.empty({ status: 200, headers }), asset.body)
}

const index = HttpServerResponse.jsonUnsafe(
  { name: "sluice", docs: "/docs", openapi: "/openapi.json" },
  { headers: { vary: "accept" } }
)

const notFound = HttpServerResponse.empty({ status: 404 })

const wantsHtml = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["accept"]?.includes("text/html") ?? false

export const DashboardHandlers = Layer.unwrap(
  Effect.gen(function* () {
    const assets = yield* Effect.catch(readAssets, (error) =>
      Effect.as(Effect.logWarning("the dashboard's files are missing", error), new Map<string, Asset>())
    )
    const page = assets.get("index.html")
    return Layer.mergeAll(
      HttpRouter.add("GET", "/", (request) =>
        Effect.succeed(page !== undefined && wantsHtml(request) ? answer(request, page) : index)
      ),
      HttpRouter.add("GET", `${dashboardPath}:file`, (request) => {
        const asset = assets.get(request.url.split(/[?#]/, 1)[0]?.slice(dashboardPath.length) ?? "")
        return Effect.succeed(asset === undefined ? notFound : answer(request, asset))
      })
    )
  })
)
