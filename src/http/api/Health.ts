import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { BadRequestResponse, ServiceUnavailableResponse } from "./problems/ProblemResponses.ts"
import { RequestRules } from "./RequestRules.ts"

const live = HttpApiEndpoint.get("live", "/health/live", {
  success: Schema.Struct({ status: Schema.Literal("live") }).annotate({ examples: [{ status: "live" }] }),
  error: BadRequestResponse
}).annotateMerge(
  OpenApi.annotations({
    summary: "The process answers",
    description: "It does not say whether work can be done: see `/health/ready`."
  })
)

const ready = HttpApiEndpoint.get("ready", "/health/ready", {
  success: Schema.Struct({ status: Schema.Literal("ready") }).annotate({ examples: [{ status: "ready" }] }),
  error: [BadRequestResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Work can be accepted and done",
    description: "503 `NOT_READY` with `reasons` otherwise."
  })
)

export class HealthApi extends HttpApiGroup.make("health")
  .add(live, ready)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Health", description: "For probes. No key is needed." })) {}
