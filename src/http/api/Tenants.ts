import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { TenantId } from "../../domain/Ids.ts"
import { limitsPatchFields } from "../../domain/tenant/TenantLimits.ts"
import { TenantState } from "../../domain/tenant/TenantState.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import {
  BadRequestResponse,
  ForbiddenResponse,
  jsonProblems,
  ServiceUnavailableResponse
} from "./problems/ProblemResponses.ts"
import { wholeNumber } from "./schemas/WholeNumber.ts"
import { RequestRules } from "./RequestRules.ts"

const tenantParams = { tenant: TenantId }

export const TenantChange = Schema.Struct({
  ...limitsPatchFields,
  paused: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "`true`: no further document of the tenant is started; `false`: they are started again."
    })
  )
}).annotate({
  identifier: "TenantChange",
  examples: [
    { weight: 2, rate: 5, burst: 20 },
    { rate: null, paused: true }
  ]
})

export const TenantList = Schema.Struct({
  tenants: Schema.Array(
    Schema.Struct({
      tenantId: TenantId,
      keys: Schema.Natural.annotate({ description: "API keys that work." }),
      state: Schema.optionalKey(TenantState)
    })
  ),
  nextCursor: Schema.optionalKey(TenantId)
}).pipe(examples({ tenants: [{ tenantId: "acme", keys: 2 }], nextCursor: "acme" }))

const list = HttpApiEndpoint.get("list", "/v1/tenants", {
  query: {
    ...tenantQuery,
    cursor: Schema.optionalKey(TenantId.annotate({ description: "`nextCursor` of the part before." })),
    limit: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 })).annotate({
          description: "1 to 200; default 50."
        })
      )
    ),
    detail: Schema.optionalKey(
      Schema.Literal("state").annotate({ description: "`state` adds what each may have, has, and gets." })
    )
  },
  headers: tenantHeaders,
  success: TenantList,
  error: [ForbiddenResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The tenants, by their ids",
    description:
      "All tenants that have a key, or ever had a document or limits of their own. No call makes a tenant: it " +
      "exists from the first of these on. Not for the key of a tenant."
  })
)

const own = HttpApiEndpoint.get("own", "/v1/tenant", {
  query: tenantQuery,
  headers: tenantHeaders,
  success: TenantState,
  error: ServiceUnavailableResponse
}).annotateMerge(
  OpenApi.annotations({ summary: "What the tenant may have, has, and gets", description: "Of the tenant that asks." })
)

const find = HttpApiEndpoint.get("find", "/v1/tenants/:tenant", {
  params: tenantParams,
  query: tenantQuery,
  headers: tenantHeaders,
  success: TenantState,
  error: [BadRequestResponse, ForbiddenResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "What a tenant may have, has, and gets",
    description: "The key of a tenant shows that tenant only."
  })
)

const change = HttpApiEndpoint.patch("change", "/v1/tenants/:tenant", {
  params: tenantParams,
  query: tenantQuery,
  headers: tenantHeaders,
  payload: TenantChange,
  success: TenantState,
  error: [...jsonProblems, ForbiddenResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Change what a tenant may have",
    description:
      "The fields take effect together, from now on and also after a restart; documents that run are not affected. " +
      "An absent field stays as it is, and `null` restores the default: what TENANT_LIMITS says of the tenant, " +
      "else the engine's own setting. With its own key a tenant may pause and resume itself, and nothing else."
  })
)

const TenantPause = Schema.Struct({ tenantId: TenantId, paused: Schema.Boolean }).pipe(
  Schema.annotate({ identifier: "TenantPause" }),
  examples({ tenantId: "acme", paused: true })
)

const pausing = {
  query: tenantQuery,
  headers: tenantHeaders,
  success: TenantPause,
  error: ServiceUnavailableResponse
}

const pause = HttpApiEndpoint.post("pause", "/v1/tenant/pause", pausing).annotateMerge(
  OpenApi.annotations({
    summary: "Pause the tenant: start no further document of it",
    description:
      "Documents that run are finished, and submissions are accepted; nothing new is started until the tenant is " +
      "resumed, also after a restart. Pausing twice is the same as once."
  })
)

const resume = HttpApiEndpoint.post("resume", "/v1/tenant/resume", pausing).annotateMerge(
  OpenApi.annotations({
    summary: "Resume the tenant: start its documents again",
    description: "Resuming a tenant that is not paused changes nothing."
  })
)

export class TenantsApi extends HttpApiGroup.make("tenants")
  .add(list, own, find, change, pause, resume)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Tenants", description: "What tenants may have, have and get." })) {}
