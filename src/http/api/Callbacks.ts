import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { documentParams } from "./Documents.ts"
import { ConflictResponse, NotFoundResponse, ServiceUnavailableResponse } from "./problems/ProblemResponses.ts"
import { RequestRules } from "./RequestRules.ts"

const nextAttemptAt = Schema.optionalKey(Schema.DateTimeUtcFromString)

const DeliveryView = Schema.Struct({
  at: Schema.DateTimeUtcFromString,
  attempt: Schema.Natural.annotate({ description: "Counts from one, and from one again after a retry or redelivery." }),
  endpoint: Schema.optionalKey(
    Schema.String.annotate({ description: "Scheme, host and port: the rest of a URL may carry a token." })
  ),
  status: Schema.optionalKey(Schema.Int.annotate({ description: "Of the answer; absent without one." })),
  error: Schema.optionalKey(Schema.String.annotate({ description: "Absent when it was delivered." })),
  elapsedMillis: Schema.Natural,
  nextAttemptAt
}).annotate({ identifier: "Delivery" })

export const DeliveryList = Schema.Struct({
  deliveries: Schema.Array(DeliveryView).annotate({ description: "The last 50 attempts, latest first." }),
  nextAttemptAt: nextAttemptAt.annotate({ description: "Absent when no attempt is due." })
}).pipe(
  Schema.annotate({ identifier: "Deliveries" }),
  examples({
    deliveries: [
      {
        at: "2030-01-01T12:00:10.400Z",
        attempt: 2,
        endpoint: "https://example.com",
        status: 204,
        elapsedMillis: 81
      },
      {
        at: "2030-01-01T12:00:00.412Z",
        attempt: 1,
        endpoint: "https://example.com",
        status: 503,
        error: "the endpoint answered with status 503",
        elapsedMillis: 64,
        nextAttemptAt: "2030-01-01T12:00:10.400Z"
      }
    ]
  })
)

const request = { params: documentParams, query: tenantQuery, headers: tenantHeaders }

export class CallbacksApi extends HttpApiGroup.make("callbacks")
  .add(
    HttpApiEndpoint.get("deliveries", "/v1/documents/:id/deliveries", {
      ...request,
      success: DeliveryList,
      error: [NotFoundResponse, ServiceUnavailableResponse]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Attempts to announce the end of a document",
        description: "The last 50 of them, and when the next one is due."
      })
    ),
    HttpApiEndpoint.post("redeliver", "/v1/documents/:id/deliveries", {
      ...request,
      success: DeliveryList.pipe(HttpApiSchema.status(202)),
      error: [NotFoundResponse, ConflictResponse, ServiceUnavailableResponse]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Announce the end of a document once more",
        description:
          "Soon, with the same `webhook-id` as before, and with all retries. To the document's own callback, or to the tenant's " +
          "endpoint as it is now. 409 `NOT_ENDED`, `NO_ENDPOINT` or `WEBHOOK_DISABLED` when that cannot be."
      })
    )
  )
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({
      title: "Deliveries",
      description: "How the end of a document was announced, to its callback or to the webhook of its tenant."
    })
  ) {}
