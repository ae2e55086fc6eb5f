import { join } from "node:path"
import { Effect, FileSystem, Layer } from "effect"
import { dashboardPath } from "../answers/CacheableAnswers.ts"
import { HttpRouter, type HttpServerRequest, HttpServerResponse } from "effect/http"

/**
 * The dashboard: plain files in the folder `dashboard`, which lies as far above this module in the sources as in the package.
 * They are read once, at start: effect's `HttpStaticServer` reads and compresses a file for every request, which takes 0.9 ms of
 * processor time instead of 0.16, and these requests need no key. `makeCacheable` adds ETags. Only clients that ask for HTML get
 * the page from `/`; programs get what they always got.
 */
const folder = join(import.meta.dirname, "../../../dashboard")

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
  // Images of pages are fetched with the key, which an address must not have.
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

const pageHeaders = { "content-security-policy": contentSecurityPolicy, vary: "accept" }

/** The answers by file name. Their bodies are the same objects for every request: compressed ones are cached under them. */
const readAnswers = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const answers = new Map<string, HttpServerResponse.HttpServerResponse>()
  for (const name of yield* files.readDirectory(folder)) {
    const mediaType = mediaTypes.get(name.slice(name.lastIndexOf(".") + 1))
    if (mediaType === undefined) continue
    const bytes = yield* files.readFile(join(folder, name))
    answers.set(
      name,
      HttpServerResponse.uint8Array(bytes, {
        contentType: mediaType,
        headers: mediaType.startsWith("text/html") ? pageHeaders : {}
      })
    )
  }
  return answers
})

const index = HttpServerResponse.jsonUnsafe(
  { name: "sluice", docs: "/docs", openapi: "/openapi.json" },
  { headers: { vary: "accept" } }
)

const notFound = HttpServerResponse.empty({ status: 404 })

const wantsHtml = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["accept"]?.includes("text/html") ?? false

export const DashboardHandlers = Layer.unwrap(
  Effect.gen(function* () {
    const answers = yield* Effect.catch(readAnswers, (error) =>
      Effect.as(Effect.logWarning("the dashboard's files are missing", error), new Map<string, typeof notFound>())
    )
    const page = answers.get("index.html") ?? index
    return Layer.mergeAll(
      HttpRouter.add("GET", "/", (request) => Effect.succeed(wantsHtml(request) ? page : index)),
      HttpRouter.add("GET", `${dashboardPath}:file`, ({ url }) =>
        Effect.succeed(answers.get(url.split(/[?#]/, 1)[0]?.slice(dashboardPath.length) ?? "") ?? notFound)
      )
    )
  })
)
