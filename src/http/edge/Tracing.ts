import { Layer } from "effect"
import { Headers, HttpMiddleware, type HttpServerRequest, UrlParams } from "effect/http"
import { Api } from "../api/Api.ts"

/** Routes as patterns, so that spans and logs can name them before the router has run. */
const routes = Object.values(Api.groups)
  .flatMap((group) => Object.values(group.endpoints))
  .map(({ method, path }) => ({ method, path, pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`) }))

const pathOf = (request: HttpServerRequest.HttpServerRequest): string => request.url.split(/[?#]/, 1)[0] ?? ""

/** The route's pattern, never the path itself: arbitrary paths must not become span names. */
export const routeOf = (request: HttpServerRequest.HttpServerRequest): string | undefined => {
  const path = pathOf(request)
  return routes.find(({ pattern }) => pattern.test(path))?.path
}

/** The methods that exist for the request's path. */
export const methodsOf = (request: HttpServerRequest.HttpServerRequest): ReadonlyArray<string> => {
  const path = pathOf(request)
  return routes
    .filter(({ pattern }) => pattern.test(path))
    .flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    .toSorted()
}

const spanName = (request: HttpServerRequest.HttpServerRequest): string => {
  const route = routeOf(request)
  return route === undefined ? request.method : `${request.method} ${route}`
}

/** Routes that machines poll. They are neither traced nor in the access log; `HealthHandlers` logs changes of readiness. */
export const probes: ReadonlyArray<string> = ["/health/live", "/health/ready", "/metrics"]

/** Names spans by route and keeps secrets out of logs and spans. Probes and scrapes are not traced. */
export const layer = Layer.mergeAll(
  Layer.succeed(HttpMiddleware.SpanNameGenerator)(spanName),
  Layer.succeed(Headers.CurrentRedactedNames)([
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-pdf-password"
  ]),
  // A callback may carry a token of its receiver.
  Layer.succeed(UrlParams.CurrentRedactedNames)([
    /password/i,
    /token/i,
    /secret/i,
    /key/i,
    /signature/i,
    /^sig$/i,
    "callback"
  ]),
  HttpMiddleware.layerTracerDisabledForUrls([...probes])
)
