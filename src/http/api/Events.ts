import { Schema, Struct } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { DocumentId, documentIdExample, TenantId } from "../../domain/Ids.ts"
import { PageNumber, PageStatus } from "../../domain/document/Page.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { documentParams } from "./Documents.ts"
import { documentExample, ListedDocument } from "./views/DocumentView.ts"
import {
  ForbiddenResponse,
  NotFoundResponse,
  ServiceUnavailableResponse,
  TooManyRequestsResponse
} from "./problems/ProblemResponses.ts"
import { queueExample, QueueStatusView } from "./Queue.ts"
import { wholeNumber } from "./schemas/WholeNumber.ts"
import { RequestRules } from "./RequestRules.ts"

const pageEventExample = {
  documentId: documentIdExample,
  tenantId: "acme",
  page: 7,
  status: "ok",
  done: 7,
  failed: 0,
  pages: 12
} as const

export const PageEvent = Schema.Struct({
  documentId: DocumentId,
  tenantId: TenantId,
  page: PageNumber,
  status: PageStatus,
  done: Schema.Natural.annotate({ description: "Pages of the document that have a result by now." }),
  failed: Schema.Natural.annotate({ description: "Of those, the failed ones." }),
  warned: Schema.optionalKey(
    Schema.Natural.annotate({ description: "Of those, the ones with warnings; absent when there are none." })
  ),
  pages: Schema.NullOr(Schema.Natural).annotate({ description: "Pages in all; `null` as long as that is not known." })
}).pipe(Schema.annotate({ identifier: "PageEvent" }), examples(pageEventExample))

const eventOf = <const Event extends string, Data extends Schema.Codec<unknown, unknown>>(event: Event, data: Data) =>
  Schema.Struct({
    id: Schema.String.annotate({ description: "For `Last-Event-ID`, also after a restart of the service." }),
    event: Schema.Literal(event),
    data: Schema.fromJsonString(data)
  })

const exampleOf = <const Event extends string>(event: Event, data: object) => ({
  id: "4711",
  event,
  data: JSON.stringify(data)
})

const documentEvents = [
  eventOf("document", ListedDocument).pipe(
    examples(exampleOf("document", Struct.omit(documentExample, ["outline", "stages"])))
  ),
  eventOf("page", PageEvent).pipe(examples(exampleOf("page", pageEventExample)))
] as const
const queueEvent = eventOf("queue", QueueStatusView).pipe(examples(exampleOf("queue", queueExample)))

/** An event of a stream, decoded. */
export type StreamedEvent = (typeof documentEvents)[number]["Type"] | (typeof queueEvent)["Type"]

const lastEventId = wholeNumber(
  Schema.Natural.annotate({
    description:
      "The `id` of the last event received: what came after it is sent first. 0 for everything that is still kept.",
    examples: [4711]
  })
)

const query = { ...tenantQuery, lastEventId: Schema.optionalKey(lastEventId) }
const headers = { ...tenantHeaders, "last-event-id": Schema.optionalKey(lastEventId) }

const document = HttpApiEndpoint.get("document", "/v1/documents/:id/events", {
  params: documentParams,
  query,
  headers,
  success: [HttpApiSchema.StreamSse({ events: Schema.Union(documentEvents) }), HttpApiSchema.NoContent],
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Changes of a document, as they happen",
    description:
      "Server-Sent Events: `document` with the present state of the document, when the stream begins and whenever " +
      "the state changes; `page` for each page that has a result, earlier ones included. The `document` of its end " +
      "comes after all pages and ends the stream. A client that reconnects with `Last-Event-ID` gets what came " +
      "since; if it has had the end already, the answer is 204, which stops an EventSource. A comment every 15 " +
      "seconds shows that the connection lives."
  })
)

const all = HttpApiEndpoint.get("all", "/v1/events", {
  query: {
    ...query,
    scope: Schema.optionalKey(
      Schema.Literal("all").annotate({
        description:
          "`all` shows the documents of all tenants, and the queue of the whole engine; not for the key of a tenant."
      })
    )
  },
  headers,
  success: HttpApiSchema.StreamSse({ events: Schema.Union([...documentEvents, queueEvent]) }),
  error: [ForbiddenResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Changes of the tenant's documents, as they happen",
    description:
      "Server-Sent Events without end: `document` and `page` for each document that changes from now on, and " +
      "`queue` with the content of /queue/status when that has changed, at most once a second. A client that " +
      "reconnects with `Last-Event-ID` first gets every document that changed since, in its present state, and " +
      "every page that got its result since. These documents have neither `waiting` nor `nextAttemptAt`: request a " +
      "single document for them. No event has an outline."
  })
)

export class EventsApi extends HttpApiGroup.make("events")
  .add(document, all)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({ title: "Events", description: "Changes as they happen, as Server-Sent Events." })
  ) {}
