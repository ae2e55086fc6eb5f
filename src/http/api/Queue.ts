import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { ForbiddenResponse, ServiceUnavailableResponse } from "./problems/ProblemResponses.ts"
import { RequestRules } from "./RequestRules.ts"

const count = (description: string) => Schema.Natural.annotate({ description })

export const queueExample = {
  queue_size: 17,
  max_queue_size: 230,
  processing: 2,
  max_processing: 2,
  max_concurrent: 2,
  total_processed: 4_512,
  total_failed: 3,
  paused: false,
  estimated_wait_time: 1.8
}

export const QueueStatusView = Schema.Struct({
  queue_size: count("Documents that wait, scheduled ones included."),
  max_queue_size: count("The highest `queue_size` ever seen; survives restarts. Not a limit."),
  processing: count("Documents that run."),
  max_processing: count("The highest `processing` ever seen; survives restarts. Not a limit."),
  max_concurrent: count("The limit of `processing`."),
  total_processed: count("Documents that ended `completed`, `partial` or `failed`, ever."),
  total_failed: count("Documents that ended `failed`, ever."),
  paused: Schema.Boolean.annotate({ description: "Nothing of the tenant is started until it is resumed." }),
  estimated_wait_time: Schema.NullOr(Schema.Finite).annotate({
    description:
      "Seconds until a document accepted now would start, estimated from the run times measured lately. `null` while the " +
      "tenant is paused, since the end of the pause is not known. With `scope=all` the documents of paused tenants do not count."
  })
}).annotate({ examples: [queueExample] })

const queueStatus = HttpApiEndpoint.get("queueStatus", "/queue/status", {
  query: {
    ...tenantQuery,
    scope: Schema.optionalKey(
      Schema.Literal("all").annotate({
        description: "`all` shows the whole engine instead of the tenant; not for the key of a tenant."
      })
    )
  },
  headers: tenantHeaders,
  success: QueueStatusView,
  error: [ForbiddenResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "What waits and what runs",
    description: "Of the tenant; with `scope=all` of the whole engine."
  })
)

export class QueueApi extends HttpApiGroup.make("queue")
  .add(queueStatus)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Queue", description: "How much there is to do." })) {}
