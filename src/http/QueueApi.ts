import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { TenantIdentification, tenantHeaders, tenantQuery } from "./CurrentTenant.ts"
import { Forbidden, ServiceUnavailableResponse } from "./Problems.ts"

export const QueueStatusView = Schema.Struct({
  queue_size: Schema.Natural,
  max_queue_size: Schema.Natural,
  processing: Schema.Natural,
  max_processing: Schema.Natural,
  max_concurrent: Schema.Natural,
  total_processed: Schema.Natural,
  total_failed: Schema.Natural,
  paused: Schema.Boolean.annotate({ description: "Nothing of the tenant is started until it is resumed." }),
  estimated_wait_time: Schema.Finite.annotate({
    description: "Seconds until a document accepted now would start."
  })
})

const queueStatus = HttpApiEndpoint.get("queueStatus", "/queue/status", {
  query: {
    ...tenantQuery,
    scope: Schema.optionalKey(
      Schema.Literal("all").annotate({
        description: "`all` shows the whole engine instead of the tenant; refused once tenants are authenticated."
      })
    )
  },
  headers: tenantHeaders,
  success: QueueStatusView,
  error: [Forbidden, ServiceUnavailableResponse]
}).annotateMerge(OpenApi.annotations({ summary: "What waits and what runs" }))

export class QueueApi extends HttpApiGroup.make("queue")
  .add(queueStatus)
  .middleware(TenantIdentification)
  .annotateMerge(OpenApi.annotations({ title: "Queue" })) {}
