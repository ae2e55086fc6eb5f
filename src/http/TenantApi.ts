import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { TenantId } from "../domain/Ids.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "./CurrentTenant.ts"
import { ServiceUnavailableResponse } from "./Problems.ts"

export const TenantState = Schema.Struct({ tenantId: TenantId, paused: Schema.Boolean })

const shape = {
  query: tenantQuery,
  headers: tenantHeaders,
  success: TenantState,
  error: ServiceUnavailableResponse
}

const pause = HttpApiEndpoint.post("pause", "/v1/tenant/pause", shape).annotateMerge(
  OpenApi.annotations({
    summary: "Start nothing more of the tenant",
    description:
      "Documents that run go on to their end, and submissions are accepted; nothing new is started until the tenant is " +
      "resumed, also after a restart. Pausing twice is the same as once."
  })
)

const resume = HttpApiEndpoint.post("resume", "/v1/tenant/resume", shape).annotateMerge(
  OpenApi.annotations({ summary: "Start the tenant's documents again" })
)

export class TenantApi extends HttpApiGroup.make("tenant")
  .add(pause, resume)
  .middleware(TenantIdentification)
  .annotateMerge(OpenApi.annotations({ title: "Tenant" })) {}
