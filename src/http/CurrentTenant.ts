import { Context, Effect, Layer, Option, Schema } from "effect"
import { HttpRouter, HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { TenantId } from "../domain/Ids.ts"
import { BadRequest } from "./Problems.ts"

/**
 * Whose request this is. `explicit` tells that the request's head named the tenant; otherwise a handler may still find
 * one in the body. `authenticated` tells that the tenant was proved and not merely claimed.
 */
export class CurrentTenant extends Context.Service<
  CurrentTenant,
  { readonly id: TenantId; readonly explicit: boolean; readonly authenticated: boolean }
>()("sluice/http/CurrentTenant") {}

/** The seam for authentication: another layer of this middleware derives the tenant from a credential. */
export class TenantIdentification extends HttpApiMiddleware.Service<
  TenantIdentification,
  { provides: CurrentTenant }
>()("sluice/http/TenantIdentification", { error: BadRequest }) {}

const defaultTenant = TenantId.make("default")

const decodeTenantId = Schema.decodeUnknownOption(TenantId)

const parse = (text: unknown): Effect.Effect<TenantId, BadRequest> =>
  Option.match(decodeTenantId(text), {
    onSome: Effect.succeed,
    onNone: () =>
      Effect.fail(
        new BadRequest({
          code: "INVALID_TENANT",
          detail: "the tenant id is not valid",
          advice: "Use 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit."
        })
      )
  })

/**
 * The tenant of a request whose body names `tenantId`: the head of the request comes first. From then on the span and the
 * logs name this tenant.
 */
export const tenantWithBody = Effect.fnUntraced(function* (tenantId: string | undefined) {
  const tenant = yield* CurrentTenant
  if (tenant.explicit || tenantId === undefined) return tenant.id
  const subject = { "tenant.id": yield* parse(tenantId) }
  yield* Effect.annotateCurrentSpan(subject)
  yield* Effect.annotateLogsScoped(subject)
  return subject["tenant.id"]
})

/** Header `X-Tenant-Id`, else `tenant_id` of the query; the claim is believed. Only for a server on the loopback. */
export const layerWithoutAuthentication = Layer.succeed(
  TenantIdentification,
  Effect.fnUntraced(function* (httpEffect) {
    const request = yield* HttpServerRequest.HttpServerRequest
    const query = yield* HttpServerRequest.ParsedSearchParams
    const params = yield* HttpRouter.params
    const claimed = request.headers["x-tenant-id"] ?? query.tenant_id
    const id = claimed === undefined ? defaultTenant : yield* parse(claimed)
    const subject = { "tenant.id": id, ...(params.id === undefined ? {} : { "document.id": params.id }) }
    yield* Effect.annotateCurrentSpan(subject)
    return yield* httpEffect.pipe(
      Effect.annotateLogs(subject),
      Effect.provideService(CurrentTenant, { id, explicit: claimed !== undefined, authenticated: false })
    )
  })
)

/** How a request names its tenant; declared by endpoints for the sake of their description. */
export const tenantQuery = {
  tenant_id: Schema.optionalKey(
    Schema.String.annotate({ description: "The tenant, when the header X-Tenant-Id is absent; `default` otherwise." })
  )
}
export const tenantHeaders = {
  "x-tenant-id": Schema.optionalKey(Schema.String.annotate({ description: "The tenant." }))
}
