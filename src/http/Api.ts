import { HttpApi, OpenApi } from "effect/http-api"
import { parseOptions, RequestRules } from "./api/RequestRules.ts"
import { CallbacksApi } from "./CallbacksApi.ts"
import { DocumentsApi } from "./DocumentsApi.ts"
import { EventsApi } from "./EventsApi.ts"
import { HealthApi } from "./HealthApi.ts"
import { IngestApi } from "./IngestApi.ts"
import { KeysApi } from "./KeysApi.ts"
import { MetricsApi } from "./MetricsApi.ts"
import { PagesApi } from "./PagesApi.ts"
import { describeParameters } from "./Parameters.ts"
import { QueueApi } from "./QueueApi.ts"
import { TenantsApi } from "./TenantsApi.ts"
import { WebhookApi } from "./WebhookApi.ts"
import { WorkersApi } from "./WorkersApi.ts"

const groups = HttpApi.make("sluice")
  .add(
    DocumentsApi,
    PagesApi,
    EventsApi,
    CallbacksApi,
    IngestApi,
    QueueApi,
    TenantsApi,
    KeysApi,
    WorkersApi,
    WebhookApi,
    HealthApi,
    MetricsApi
  )
  .annotate(HttpApi.ParamsParseOptions, parseOptions.params)
  .annotate(HttpApi.HeadersParseOptions, parseOptions.headers)
  .annotate(HttpApi.QueryParseOptions, parseOptions.query)
  .annotate(HttpApi.PayloadParseOptions, parseOptions.payload)
  .middleware(RequestRules)

/** The HTTP contract, for the server, for generated clients and for the OpenAPI document. */
export class Api extends groups.annotateMerge(
  OpenApi.annotations({
    title: "Sluice",
    version: "1",
    description:
      "Multi-tenant PDF ingestion. Every error is a problem (RFC 9457, application/problem+json) with a stable `code`.",
    transform: (spec) => ({ ...spec, paths: describeParameters(groups, spec["paths"]) })
  })
) {}
