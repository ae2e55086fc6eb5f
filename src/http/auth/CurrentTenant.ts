import { Context, Effect, Layer, Option, Schema } from "effect"
import { HttpRouter, HttpServerRequest, type HttpServerResponse } from "effect/http"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { TenantId } from "../../domain/Ids.ts"
import { type Principal, CurrentPrincipal, keyRequired } from "./Principal.ts"
import { BadRequest, Forbidden } from "../api/problems/Problems.ts"
import { rememberTenant } from "./RequestTenant.ts"
import {
  BadRequestResponse,
  ForbiddenResponse,
  TooManyRequestsResponse,
  UnauthorizedResponse
} from "../api/problems/ProblemResponses.ts"

/**
 * The tenant that the request belongs to. `explicit`: the head of the request named the tenant; otherwise a handler may still
 * find one in the body. `authenticated`: the caller presented a valid key. `admin`: the caller may act for every tenant and for
 * the engine as a whole; with `AUTH=off`, every caller may.
 */
export class CurrentTenant extends Context.Service<
  CurrentTenant,
  { readonly id: TenantId; readonly explicit: boolean; readonly authenticated: boolean; readonly admin: boolean }
>()("sluice/http/auth/CurrentTenant") {}

const schemes = {
  bearer: HttpApiSecurity.bearer.pipe(
    HttpApiSecurity.annotateMerge(
      OpenApi.annotations({
        format: "sluice_<id>_<secret>",
        description:
          "The key of a tenant, which decides whose the request is, or the administrator's (`ADMIN_KEY`), with which the header " +
          "X-Tenant-Id chooses the tenant. Servers with `AUTH=off` ask for none."
      })
    )
  ),
  apiKey: HttpApiSecurity.apiKey({ key: "x-api-key", in: "header" }).pipe(
    HttpApiSecurity.annotateMerge(
      OpenApi.annotations({ description: "The same key, for clients that cannot set `Authorization`." })
    )
  )
}

/** Determines the tenant of the request from its caller and its head. */
export class TenantIdentification extends HttpApiMiddleware.Service<
  TenantIdentification,
  { provides: CurrentTenant }
>()("sluice/http/auth/CurrentTenant/TenantIdentification", {
  error: [BadRequestResponse, UnauthorizedResponse, ForbiddenResponse, TooManyRequestsResponse],
  security: schemes
}) {}

const defaultTenant = TenantId.make("default")

const decodeTenantId = Schema.decodeUnknownOption(TenantId)

export const invalidTenant = {
  code: "INVALID_TENANT",
  detail: "the tenant id is not valid",
  advice: "Use 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit."
} as const

const parse = (text: unknown): Effect.Effect<TenantId, BadRequest> =>
  Option.match(decodeTenantId(text), {
    onSome: Effect.succeed,
    onNone: () => Effect.fail(new BadRequest(invalidTenant))
  })

const contradiction = new Forbidden({
  code: "TENANT_MISMATCH",
  detail: "the request names a tenant that is not the key's",
  advice: "Leave X-Tenant-Id and tenant_id out: the key says whose the request is."
})

/** For handlers of requests that only the administrator may make. */
export const requireAdmin = Effect.flatMap(CurrentTenant, ({ admin }) =>
  admin
    ? Effect.void
    : Effect.fail(new Forbidden({ code: "FORBIDDEN", detail: "only the administrator's key may do this" }))
)

/**
 * The tenant of a request whose body names `tenantId`. A tenant in the head of the request takes precedence. From here on the
 * span and the logs name this tenant.
 */
export const tenantWithBody = Effect.fnUntraced(function* (tenantId: string | undefined) {
  const tenant = yield* CurrentTenant
  if (tenantId === undefined) return tenant.id
  if (!tenant.admin && tenantId !== tenant.id) return yield* contradiction
  if (tenant.explicit) return tenant.id
  const subject = { "tenant.id": yield* parse(tenantId) }
  yield* Effect.annotateCurrentSpan(subject)
  yield* Effect.annotateLogsScoped(subject)
  return subject["tenant.id"]
})

/** The key's tenant, which header and query may repeat but not change; otherwise the header, then the query, then the default. */
const tenantOf = Effect.fnUntraced(function* (principal: Principal, header: string | undefined, query: unknown) {
  if (principal._tag === "Anonymous") return yield* keyRequired
  const authenticated = principal._tag !== "Anyone"
  if (principal._tag === "Tenant") {
    const { id } = principal
    const contradicts = [header, query].some((claim) => claim !== undefined && claim !== id)
    if (contradicts) return yield* contradiction
    return { id, explicit: true, authenticated, admin: false }
  }
  const claimed = header ?? query
  const id = claimed === undefined ? defaultTenant : yield* parse(claimed)
  return { id, explicit: claimed !== undefined, authenticated, admin: true }
})

const identify = Effect.fnUntraced(function* <E, R>(
  httpEffect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | CurrentTenant>
) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const query = yield* HttpServerRequest.ParsedSearchParams
  const params = yield* HttpRouter.params
  const principal = yield* CurrentPrincipal
  const tenant = yield* tenantOf(principal, request.headers["x-tenant-id"], query["tenant_id"])
  rememberTenant(request, tenant.id)
  const subject = {
    "tenant.id": tenant.id,
    ...(params["id"] === undefined ? {} : { "document.id": params["id"] }),
    ...(principal._tag === "Tenant" ? { "key.id": principal.key } : {})
  }
  yield* Effect.annotateCurrentSpan(subject)
  return yield* httpEffect.pipe(Effect.annotateLogs(subject), Effect.provideService(CurrentTenant, tenant))
})

/** The caller was authenticated before, so both schemes do the same. */
export const layer = Layer.succeed(TenantIdentification, { bearer: identify, apiKey: identify })

/** The name of a tenant in a request. */
export const TenantName = Schema.String.check(
  Schema.makeFilter((text: string) => Option.isSome(decodeTenantId(text)) || invalidTenant.advice)
)

/** How a request names its tenant; endpoints declare it to have it described and checked. */
export const tenantQuery = {
  tenant_id: Schema.optionalKey(
    TenantName.annotate({
      description: "The tenant, when the header X-Tenant-Id is absent; `default` otherwise.",
      examples: ["acme"]
    })
  )
}
export const tenantHeaders = {
  "x-tenant-id": Schema.optionalKey(TenantName.annotate({ description: "The tenant.", examples: ["acme"] }))
}
