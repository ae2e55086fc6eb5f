import { ByteSize, Layer } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSwagger } from "effect/http-api"
import { Api } from "./Api.ts"
import { layerWithoutAuthentication } from "./CurrentTenant.ts"
import { DocumentsHandlers } from "./DocumentsHandlers.ts"
import * as Guard from "./Guard.ts"
import * as HostPolicy from "./HostPolicy.ts"
import { HealthHandlers } from "./HealthHandlers.ts"
import { IngestHandlers } from "./IngestHandlers.ts"
import { PagesHandlers } from "./PagesHandlers.ts"
import { QueueHandlers } from "./QueueHandlers.ts"
import { TenantsHandlers } from "./TenantsHandlers.ts"
import * as Tracing from "./Tracing.ts"

const Handlers = Layer.mergeAll(
  DocumentsHandlers,
  PagesHandlers,
  IngestHandlers,
  QueueHandlers,
  TenantsHandlers,
  HealthHandlers
)

const Index = HttpRouter.add(
  "GET",
  "/",
  HttpServerResponse.jsonUnsafe({ name: "sluice", docs: "/docs", openapi: "/openapi.json" })
)

const Routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }),
  HttpApiSwagger.layer(Api, { path: "/docs" }),
  Index,
  Guard.layer
).pipe(Layer.provide(Handlers))

/** Bodies that are held in memory; uploads are streams, which this does not concern. */
const largestBody = ByteSize.mebibytes(4)

/** Answers on the server it is given. Another layer of `TenantIdentification` may take the tenant from a credential. */
export const layerNoDeps = HttpRouter.serve(Routes, { disableLogger: true }).pipe(
  Layer.provide(Tracing.layer),
  Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize)(largestBody))
)

export const layer = layerNoDeps.pipe(Layer.provide([layerWithoutAuthentication, HostPolicy.layer]))
