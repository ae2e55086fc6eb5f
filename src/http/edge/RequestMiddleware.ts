import { Cause, type Clock, Effect, Layer, Result, Stream } from "effect"
import {
  HttpBody,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  HttpServerRespondable,
  HttpServerResponse,
  ProblemDetails
} from "effect/http"
import { HttpApiError } from "effect/http-api"
import * as Log from "../../observability/Log.ts"
import { Authentication } from "../auth/Authentication.ts"
import { CurrentPrincipal } from "../auth/Principal.ts"
import { makeCacheable } from "../answers/CacheableAnswers.ts"
import { HostPolicy } from "./HostPolicy.ts"
import { LoadShedding } from "./LoadShedding.ts"
import { targetErrors } from "../rules/RequestTarget.ts"
import { invalidRequest, refuseFor, requestError } from "../api/problems/InvalidRequest.ts"
import {
  BadRequest,
  challenge,
  ContentTooLarge,
  Forbidden,
  InternalServerError,
  MethodNotAllowed,
  NotFound,
  problemResponse
} from "../api/problems/Problems.ts"
import { answerHeaders, makeRequestIds } from "./RequestId.ts"
import { methodsOf, routeOf, probes } from "./Tracing.ts"

/**
 * Applies to every request, whatever its route: the caller is authenticated, the answer has a request id and a line in the access
 * log, and every error is answered as a problem.
 */

const noRoute = (request: HttpServerRequest.HttpServerRequest) => {
  const methods = methodsOf(request)
  // The router skips a route when a part of the path is longer than any id.
  if (methods.some((method) => method === request.method)) {
    return refuseFor([requestError("params", "", "a part of the path is longer than any id")])
  }
  return methods.length === 0
    ? new NotFound({ code: "ROUTE_NOT_FOUND", detail: "there is nothing here", advice: "See /docs." })
    : new MethodNotAllowed({ code: "METHOD_NOT_ALLOWED", detail: `only ${methods.join(", ")} are possible here` })
}

const parts = { Params: "params", Headers: "headers", Query: "query", Payload: "payload" } as const

const problemOf = (error: unknown): HttpServerRespondable.Respondable | undefined => {
  if (HttpApiError.HttpApiSchemaError.is(error)) {
    return error.kind === "Body" || error.kind === "ResponseHeaders"
      ? undefined
      : invalidRequest(parts[error.kind], error.cause)
  }
  if (!HttpServerError.isHttpServerError(error)) return undefined
  switch (error.reason._tag) {
    case "RouteNotFound":
      return noRoute(error.request)
    case "RequestParseError":
      return error.reason.reason === "BodyTooLarge"
        ? new ContentTooLarge({ code: "BODY_TOO_LARGE", detail: "the body is too large for this route" })
        : new BadRequest({ code: "BODY_INCOMPLETE", detail: "the body could not be read to its end" })
    default:
      return undefined
  }
}

const internal = new InternalServerError({
  code: "INTERNAL",
  detail: "the server failed; its log has the cause under the request's id"
})

const answerCause = <E>(cause: Cause.Cause<E>) => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
  for (const reason of cause.reasons) {
    const error = reason._tag === "Fail" ? reason.error : reason._tag === "Die" ? reason.defect : undefined
    const problem = problemOf(error)
    if (problem !== undefined) return HttpServerRespondable.toResponse(problem)
  }
  return Effect.andThen(Effect.logError("request failed", cause), HttpServerRespondable.toResponse(internal))
}

const codes: Record<number, readonly [code: string, title: string, advice?: string]> = {
  400: ["INVALID_REQUEST", "Bad Request"],
  404: ["ROUTE_NOT_FOUND", "Not Found"],
  413: ["BODY_TOO_LARGE", "Content Too Large"],
  // For JSON bodies only: the upload route answers 415 itself.
  415: ["UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type", "Send the header content-type: application/json."],
  500: ["INTERNAL", "Internal Server Error"]
}

/** Turns errors that the library answered itself into problems too. */
const asProblem = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  if (response.status < 400 || response.headers["content-type"] === ProblemDetails.contentType) return response
  const [code, title, advice] = codes[response.status] ?? ["REFUSED", "Refused"]
  return ProblemDetails.toResponse({
    type: ProblemDetails.blankType,
    title,
    status: response.status,
    detail: title.toLowerCase(),
    code,
    ...(advice === undefined ? {} : { advice })
  })
}

/** The pages need nothing from other origins: foreign scripts are forbidden, and no other page may frame them. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; " +
  "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

const headersOf = (
  request: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  requestId: string
): Record<string, string> => ({
  ...answerHeaders(requestId),
  // Answers may contain data of a tenant, so none is cached unless it sets its own cache-control.
  ...(response.headers["cache-control"] === undefined ? { "cache-control": "no-store" } : {}),
  ...(response.headers["content-security-policy"] === undefined &&
  response.headers["content-type"]?.startsWith("text/html")
    ? { "content-security-policy": contentSecurityPolicy }
    : {}),
  ...(response.status === 401 ? { "www-authenticate": challenge } : {}),
  ...(response.status === 405 ? { allow: methodsOf(request).join(", ") } : {}),
  // The rest of the body may never come.
  ...(response.status === 408 ? { connection: "close" } : {})
})

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])
const ownSites: ReadonlySet<string> = new Set(["same-origin", "none"])

/** Ignores the scheme: with TLS at a proxy in front, this server does not know it. */
const isOwnOrigin = (origin: string, host: string | undefined): boolean => {
  if (host === undefined || !URL.canParse(origin)) return false
  const from = new URL(origin)
  const own = `${from.protocol}//${host}`
  return from.host !== "" && URL.canParse(own) && new URL(own).host === from.host
}

/**
 * Whether a page of another origin made the browser send this request; such a request may not change anything, as the server may
 * run without keys. Other ports of this machine are the same site, but not the same origin. Browsers send Sec-Fetch-Site only to
 * the loopback and over TLS, otherwise only Origin. A proxy may have changed the Host that Origin is compared with, so
 * `Sec-Fetch-Site: same-origin` is enough. No page can forge either header.
 */
const isForged = ({ headers, method }: HttpServerRequest.HttpServerRequest): boolean => {
  if (safeMethods.has(method)) return false
  const { host, origin, "sec-fetch-site": site = "none" } = headers
  if (!ownSites.has(site)) return true
  return site === "none" && origin !== undefined && !isOwnOrigin(origin, host)
}

const forged = new Forbidden({ code: "CROSS_SITE", detail: "a page of another site may not change anything here" })

const hostRefused = new Forbidden({
  code: "HOST_REFUSED",
  detail: "the Host header does not name this machine's loopback",
  advice: "Use http://127.0.0.1 or http://localhost; the names that a proxy sends on belong into ALLOWED_HOSTS."
})

const refusalOf = (request: HttpServerRequest.HttpServerRequest, hosts: typeof HostPolicy.Service) => {
  if (!hosts.allows(request.headers["host"])) return hostRefused
  if (isForged(request)) return forged
  const errors = targetErrors(request.url)
  return errors.length === 0 ? undefined : refuseFor(errors)
}

/** Ends an endless event stream when its key is revoked. The client reconnects and is then refused. */
const endedBy = (response: HttpServerResponse.HttpServerResponse, revoked: Effect.Effect<void>) => {
  const { body } = response
  return body._tag === "Stream" && body.contentType.startsWith("text/event-stream")
    ? HttpServerResponse.setBody(
        response,
        HttpBody.stream(Stream.interruptWhen(body.stream, revoked), body.contentType, body.contentLength)
      )
    : response
}

const cacheable = makeCacheable()

/** Runs the route unless the credentials of the request are refused. */
const admit = Effect.fnUntraced(function* <E, R>(
  request: HttpServerRequest.HttpServerRequest,
  authentication: Authentication["Service"],
  route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) {
  const principal = yield* Effect.result(authentication.authenticate(request))
  if (Result.isSuccess(principal)) {
    const response = yield* Effect.provideService(cacheable(route), CurrentPrincipal, principal.success)
    return principal.success._tag === "Tenant" ? endedBy(response, principal.success.revoked) : response
  }
  return yield* problemResponse(principal.failure)
})

/** Statuses logged at Debug, like reads and probes: a flood of refusals must not become a flood of log lines. */
const debugStatuses: ReadonlySet<number> = new Set([401, 429])

const logAccess = (request: HttpServerRequest.HttpServerRequest, status: number, millis: number) => {
  const { method } = request
  const route = routeOf(request) ?? "none"
  const read = method === "GET" || method === "HEAD"
  const quiet = probes.includes(route) || debugStatuses.has(status) || (status < 500 && read)
  return Log.line(quiet ? "Debug" : "Info", "answered", () => ({
    "http.method": method,
    "http.route": route,
    "http.status": status,
    "http.millis": millis
  }))
}

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const requestIdOf = yield* makeRequestIds
    const hosts = yield* HostPolicy
    const shedding = yield* LoadShedding
    const authentication = yield* Authentication

    const guarded = <E, R>(
      request: HttpServerRequest.HttpServerRequest,
      clock: Clock.Clock,
      route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
    ) => {
      const requestId = requestIdOf(request.headers["x-request-id"])
      const startedAt = clock.currentTimeMillisUnsafe()
      const log = (status: number) => logAccess(request, status, clock.currentTimeMillisUnsafe() - startedAt)
      const finish = (answer: HttpServerResponse.HttpServerResponse) => {
        const problem = asProblem(answer)
        const response = HttpServerResponse.setHeaders(problem, headersOf(request, problem, requestId))
        return Effect.as(log(response.status), response)
      }
      // The Host, origin and target first, then the sender.
      const refusal = refusalOf(request, hosts)
      const shed = refusal === undefined ? shedding.shed(request) : undefined
      // A flood is answered with as few steps as possible.
      if (shed !== undefined) return Effect.annotateLogs(Effect.flatMap(shed, finish), "request.id", requestId)
      const admitted =
        refusal === undefined ? admit(request, authentication, route) : HttpServerRespondable.toResponse(refusal)
      return admitted.pipe(
        Effect.catchCause(answerCause),
        Effect.flatMap(finish),
        // The client went away.
        Effect.onInterrupt(() => log(499)),
        Effect.annotateLogs("request.id", requestId)
      )
    }

    return HttpRouter.middleware(
      (effect) =>
        Effect.clockWith((clock) =>
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => guarded(request, clock, effect))
        ),
      { global: true }
    )
  })
)
