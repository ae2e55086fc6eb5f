import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { TenantId } from "../../domain/Ids.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import {
  ForbiddenResponse,
  jsonProblems,
  NotFoundResponse,
  ServiceUnavailableResponse
} from "./problems/ProblemResponses.ts"
import { CallbackUrl } from "./schemas/SubmitOptions.ts"
import { RequestRules } from "./RequestRules.ts"

const ofTenant = "/v1/tenants/:tenant/webhook"
const own = "/v1/webhook"

const SecretView = Schema.Struct({
  createdAt: Schema.DateTimeUtcFromString,
  expiresAt: Schema.optionalKey(
    Schema.DateTimeUtcFromString.annotate({ description: "Until then messages are signed with it, too." })
  )
})

const fields = {
  tenantId: TenantId,
  url: Schema.optionalKey(Schema.String),
  createdAt: Schema.DateTimeUtcFromString,
  secrets: Schema.Array(SecretView).annotate({ description: "Those that messages are signed with, newest first." }),
  owed: Schema.Struct({
    deliveries: Schema.Natural.annotate({
      description: "Ended documents that have not been announced yet, to the endpoint or to a document's own callback."
    }),
    oldestSeconds: Schema.optionalKey(
      Schema.Finite.annotate({ description: "How long ago the oldest of these documents ended." })
    )
  }),
  failingSince: Schema.optionalKey(
    Schema.DateTimeUtcFromString.annotate({ description: "Since then every delivery to the endpoint has failed." })
  ),
  disabledAt: Schema.optionalKey(
    Schema.DateTimeUtcFromString.annotate({ description: "Nothing is sent to the endpoint any more. PUT enables it." })
  ),
  disabledReason: Schema.optionalKey(Schema.String)
}

const example = {
  tenantId: "acme",
  url: "https://example.com/sluice",
  createdAt: "2030-01-01T12:00:00.000Z",
  owed: { deliveries: 12, oldestSeconds: 340.5 },
  secrets: [{ createdAt: "2030-01-01T12:00:00.000Z" }]
} as const
const rotatedExample = {
  ...example,
  secrets: [
    { createdAt: "2030-02-01T12:00:00.000Z" },
    { createdAt: "2030-01-01T12:00:00.000Z", expiresAt: "2030-02-02T12:00:00.000Z" }
  ]
} as const
const secretExample = "whsec_<base64>"

export const WebhookView = Schema.Struct(fields).pipe(
  Schema.annotate({ identifier: "Webhook" }),
  examples(example, {
    ...example,
    failingSince: "2030-01-03T08:00:00.000Z",
    disabledAt: "2030-01-06T08:00:00.000Z",
    disabledReason: "every delivery has failed for 3d, the last one: the endpoint answered with status 500"
  })
)

const secret = Schema.String.annotate({
  description: "`whsec_` and base64. Only this answer contains it.",
  format: "whsec_<base64>"
})

export const WebhookMade = Schema.Struct({ ...fields, secret: Schema.optionalKey(secret) }).pipe(
  Schema.annotate({ identifier: "WebhookSet" }),
  examples({ ...example, secret: secretExample })
)
export const WebhookRotated = Schema.Struct({ ...fields, secret }).pipe(
  Schema.annotate({ identifier: "WebhookRotated" }),
  examples({ ...rotatedExample, secret: secretExample })
)

export const WebhookChange = Schema.Struct({
  url: Schema.optionalKey(
    Schema.NullOr(CallbackUrl).annotate({
      description:
        "The end of every document that has no `callback` of its own is announced to it. Absent or `null`: no such " +
        "endpoint, but callbacks are signed."
    })
  )
}).annotate({ identifier: "WebhookChange", examples: [{ url: example.url }, { url: null }] })

const whose = { query: tenantQuery, headers: tenantHeaders }
const named = { ...whose, params: { tenant: TenantId } }
const found = { success: WebhookView, error: [NotFoundResponse, ServiceUnavailableResponse] } as const
const set = {
  payload: WebhookChange,
  success: WebhookMade,
  error: [...jsonProblems, ServiceUnavailableResponse]
} as const
const rotated = { success: WebhookRotated, error: [NotFoundResponse, ServiceUnavailableResponse] } as const
const removed = { success: HttpApiSchema.NoContent, error: [NotFoundResponse, ServiceUnavailableResponse] } as const

const words = {
  find: OpenApi.annotations({
    summary: "The webhook of the tenant: endpoint, secrets, and whether it works",
    description: "Without the secrets themselves: only the answer that makes a secret contains it."
  }),
  put: OpenApi.annotations({
    summary: "Set the webhook of the tenant",
    description:
      "Makes the signing secret if there is none yet; this answer then contains it. Enables an endpoint that was disabled. " +
      "Documents that end from now on are announced to it."
  }),
  rotate: OpenApi.annotations({
    summary: "Make a new signing secret",
    description:
      "Messages are signed with the new secret and, for a day, with the one before. To end a secret at once, rotate twice."
  }),
  remove: OpenApi.annotations({
    summary: "Remove the webhook of the tenant, with its secrets",
    description:
      "Announcements to the endpoint that have not been delivered yet are dropped. Callbacks of " +
      "documents are unsigned from then on."
  })
}

const withForbidden = <const E extends ReadonlyArray<Schema.Top>>(error: E) => [ForbiddenResponse, ...error] as const

export class WebhookApi extends HttpApiGroup.make("webhook")
  .add(
    HttpApiEndpoint.get("find", own, { ...whose, ...found }).annotateMerge(words.find),
    HttpApiEndpoint.put("put", own, { ...whose, ...set }).annotateMerge(words.put),
    HttpApiEndpoint.delete("remove", own, { ...whose, ...removed }).annotateMerge(words.remove),
    HttpApiEndpoint.post("rotate", `${own}/secret`, { ...whose, ...rotated }).annotateMerge(words.rotate),
    HttpApiEndpoint.get("findOf", ofTenant, {
      ...named,
      ...found,
      error: withForbidden(found.error)
    }).annotateMerge(words.find),
    HttpApiEndpoint.put("putOf", ofTenant, { ...named, ...set, error: withForbidden(set.error) }).annotateMerge(
      words.put
    ),
    HttpApiEndpoint.delete("removeOf", ofTenant, {
      ...named,
      ...removed,
      error: withForbidden(removed.error)
    }).annotateMerge(words.remove),
    HttpApiEndpoint.post("rotateOf", `${ofTenant}/secret`, {
      ...named,
      ...rotated,
      error: withForbidden(rotated.error)
    }).annotateMerge(words.rotate)
  )
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({
      title: "Webhooks",
      description: "The endpoint of a tenant to which the end of every document is announced."
    })
  ) {}
