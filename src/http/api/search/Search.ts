import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { SearchAnswer, SearchRequest } from "../../../domain/search/Search.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { waitOf } from "../Pages.ts"
import { ServiceUnavailableResponse, TooManyRequestsResponse } from "../problems/ProblemResponses.ts"
import { RequestRules } from "../RequestRules.ts"

export const deadlineHeader = "sluice-deadline"

const deadline = Schema.String.check(
  Schema.makeFilter((text: string) => waitOf(text) !== undefined || "a time up to 60s, such as 2s or 300ms")
).annotate({
  description:
    "How long the caller waits for the answer, such as `300ms`. What takes longer is left out: see `degraded`.",
  examples: ["300ms"]
})

const search = HttpApiEndpoint.post("search", "/v1/search", {
  query: tenantQuery,
  headers: { ...tenantHeaders, [deadlineHeader]: Schema.optionalKey(deadline) },
  payload: SearchRequest,
  success: SearchAnswer,
  error: [TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Search in the documents of the tenant",
    description:
      "In documents that went through a pipeline with the stage `index`, such as `rag`: by their words, and by meaning where the server has a " +
      "model. It has places of its own, so that ingestion does not slow it. 503 `SEARCH_BUSY`, with `Retry-After`: too many searches wait " +
      "already. 503 `SEARCH_DEADLINE`: there was no answer within the deadline. 503 `SEARCH_UNAVAILABLE`: there is no index here."
  })
)

export class SearchApi extends HttpApiGroup.make("search")
  .add(search)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Search", description: "What documents say, found." })) {}
