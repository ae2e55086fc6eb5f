import { HttpApi, OpenApi } from "effect/http-api"
import { DocumentsApi } from "./DocumentsApi.ts"
import { HealthApi } from "./HealthApi.ts"
import { IngestApi } from "./IngestApi.ts"
import { PagesApi } from "./PagesApi.ts"
import { QueueApi } from "./QueueApi.ts"
import { TenantsApi } from "./TenantsApi.ts"

/** The HTTP contract, for the server, for generated clients and for the OpenAPI document. */
export class Api extends HttpApi.make("sluice")
  .add(DocumentsApi, PagesApi, IngestApi, QueueApi, TenantsApi, HealthApi)
  .annotateMerge(
    OpenApi.annotations({
      title: "Sluice",
      version: "1",
      description:
        "Multi-tenant PDF ingestion. Every error is a problem (RFC 9457, application/problem+json) with a stable `code`."
    })
  ) {}
