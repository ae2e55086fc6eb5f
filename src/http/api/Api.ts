import { HttpApi, OpenApi } from "effect/http-api"
import { parseOptions } from "./RequestRules.ts"
import { CallbacksApi } from "./Callbacks.ts"
import { DocumentsApi } from "./Documents.ts"
import { DownstreamsApi } from "./downstreams/Downstreams.ts"
import { UsageApi } from "./downstreams/Usage.ts"
import { EventsApi } from "./Events.ts"
import { HealthApi } from "./Health.ts"
import { IngestApi } from "./Ingest.ts"
import { KeysApi } from "./Keys.ts"
import { MetricsApi } from "./Metrics.ts"
import { PagesApi } from "./Pages.ts"
import { withPlainNames } from "./schemas/SchemaNames.ts"
import { describeParameters } from "../edge/OpenApiParameters.ts"
import { ArtifactsApi } from "./pipelines/Artifacts.ts"
import { ImagesApi } from "./pipelines/Images.ts"
import { PipelinesApi } from "./pipelines/Pipelines.ts"
import { RenderingsApi } from "./Renderings.ts"
import { ChunksApi } from "./search/Chunks.ts"
import { SearchApi } from "./search/Search.ts"
import { QueueApi } from "./Queue.ts"
import { TenantsApi } from "./Tenants.ts"
import { WebhookApi } from "./Webhook.ts"
import { WorkersApi } from "./Workers.ts"

// Each group has RequestRules by itself: with them added to all at once, the type of the contract is too long to be written into
// declarations.
const groups = HttpApi.make("sluice")
  .add(
    DocumentsApi,
    PagesApi,
    RenderingsApi,
    ChunksApi,
    SearchApi,
    ArtifactsApi,
    ImagesApi,
    PipelinesApi,
    EventsApi,
    CallbacksApi,
    IngestApi,
    QueueApi,
    TenantsApi,
    KeysApi,
    WorkersApi,
    DownstreamsApi,
    UsageApi,
    WebhookApi,
    HealthApi,
    MetricsApi
  )
  .annotate(HttpApi.ParamsParseOptions, parseOptions.params)
  .annotate(HttpApi.HeadersParseOptions, parseOptions.headers)
  .annotate(HttpApi.QueryParseOptions, parseOptions.query)
  .annotate(HttpApi.PayloadParseOptions, parseOptions.payload)

/** The part for operators, which every process answers. */
export const OwnApi = HttpApi.make("sluice").add(HealthApi, MetricsApi)

/** The HTTP contract, for the server, for generated clients and for the OpenAPI document. */
export class Api extends groups.annotateMerge(
  OpenApi.annotations({
    title: "Sluice",
    version: "1",
    description:
      "Multi-tenant PDF ingestion. Every error is a problem (RFC 9457, application/problem+json) with a stable `code`.\n\n" +
      "What is not known is refused, in queries, JSON bodies and forms alike: 400 `INVALID_REQUEST`, with all that is wrong with the " +
      "request in `errors`, up to 20. A parameter, a field of a form or a name in a JSON object may be there once. Headers that are " +
      "not known are ignored, and so are queries of `/health`, `/metrics` and this document.\n\n" +
      "JSON bodies are UTF-8, of at most 16 KiB (4 MiB for `/pdf/ingest`); where there is nothing to say in a body, none is taken: 400 " +
      "`BODY_NOT_EXPECTED`. Bodies are taken as they are, without Content-Encoding: 415 `UNSUPPORTED_ENCODING`.",
    license: { name: "MIT", identifier: "MIT" },
    servers: [{ url: "/", description: "The server that this document comes from." }],
    transform: (spec) =>
      withPlainNames({ ...spec, components: spec["components"], paths: describeParameters(groups, spec["paths"]) })
  })
) {}
