import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { DownstreamName, DownstreamState } from "../../../domain/downstream/Downstream.ts"
import { DownstreamChange } from "../../../services/downstreams/DownstreamSettings.ts"
import { examples } from "../../../domain/Examples.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { BadRequestResponse, ForbiddenResponse, jsonProblems, NotFoundResponse } from "../problems/ProblemResponses.ts"
import { RequestRules } from "../RequestRules.ts"

export { DownstreamChange } from "../../../services/downstreams/DownstreamSettings.ts"

const params = { name: DownstreamName }

export const DownstreamList = Schema.Struct({ downstreams: Schema.Array(DownstreamState) }).pipe(
  Schema.annotate({ identifier: "DownstreamList" }),
  examples({ downstreams: [] })
)

const list = HttpApiEndpoint.get("list", "/v1/downstreams", {
  query: tenantQuery,
  headers: tenantHeaders,
  success: DownstreamList,
  error: ForbiddenResponse
}).annotateMerge(
  OpenApi.annotations({
    summary: "The downstreams, as they are now in this process",
    description: "Those that `PIPELINES_FILE` declares, by their names. Not for the key of a tenant."
  })
)

const find = HttpApiEndpoint.get("find", "/v1/downstreams/:name", {
  params,
  query: tenantQuery,
  headers: tenantHeaders,
  success: DownstreamState,
  error: [BadRequestResponse, ForbiddenResponse, NotFoundResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "One downstream, as it is now in this process",
    description: "Not for the key of a tenant."
  })
)

const change = HttpApiEndpoint.patch("change", "/v1/downstreams/:name", {
  params,
  query: tenantQuery,
  headers: tenantHeaders,
  payload: DownstreamChange,
  success: DownstreamState,
  error: [...jsonProblems, ForbiddenResponse, NotFoundResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Change what a downstream may be asked for",
    description:
      "Takes effect at once, also for calls that wait (`maxWait` for those that come after), in this process and until it ends: " +
      "what holds from its start is in `PIPELINES_FILE`. Not for the key of a tenant."
  })
)

export class DownstreamsApi extends HttpApiGroup.make("downstreams")
  .add(list, find, change)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({ title: "Downstreams", description: "What stages call outside of the engine." })
  ) {}
