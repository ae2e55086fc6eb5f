import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { BadRequestResponse, ForbiddenResponse, UnauthorizedResponse } from "./problems/ProblemResponses.ts"
import { RequestRules } from "./RequestRules.ts"

const metrics = HttpApiEndpoint.get("metrics", "/metrics", {
  success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })),
  error: [BadRequestResponse, UnauthorizedResponse, ForbiddenResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "All metrics, as Prometheus reads them",
    description: "With API keys turned on, the administrator's key or `METRICS_TOKEN` is needed as a bearer token."
  })
)

export class MetricsApi extends HttpApiGroup.make("metrics")
  .add(metrics)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Metrics", description: "For Prometheus." })) {}
