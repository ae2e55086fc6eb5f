import { ByteSize, Effect, Layer } from "effect"
import { HttpEffect, HttpIncomingMessage, HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiSwagger } from "effect/http-api"
import * as OutboundPolicy from "../services/config/OutboundPolicy.ts"
import { RoleConfig } from "../services/config/RoleConfig.ts"
import { Api, OwnApi } from "./api/Api.ts"
import * as Authentication from "./auth/Authentication.ts"
import { CallbacksHandlers } from "./handlers/CallbacksHandlers.ts"
import * as CurrentTenant from "./auth/CurrentTenant.ts"
import { DashboardHandlers } from "./dashboard/DashboardHandlers.ts"
import { DownstreamsHandlers } from "./handlers/downstreams/DownstreamsHandlers.ts"
import { UsageHandlers } from "./handlers/downstreams/UsageHandlers.ts"
import { DocumentsHandlers } from "./handlers/DocumentsHandlers.ts"
import * as Compression from "./answers/Compression.ts"
import { UnsentBytes } from "./answers/UnsentBytes.ts"
import { unsentLimitsFromEnv } from "./answers/UnsentLimits.ts"
import { EventsHandlers } from "./handlers/EventsHandlers.ts"
import * as RequestRules from "./rules/RequestRules.ts"
import { LoadShedding } from "./edge/LoadShedding.ts"
import * as RequestMiddleware from "./edge/RequestMiddleware.ts"
import * as HostPolicy from "./edge/HostPolicy.ts"
import { HealthHandlers } from "./handlers/HealthHandlers.ts"
import { IngestHandlers } from "./handlers/IngestHandlers.ts"
import { KeysHandlers } from "./handlers/KeysHandlers.ts"
import * as MetricsAccess from "./auth/MetricsAccess.ts"
import { limitsFromEnv, LiveStreams } from "./live/LiveStreams.ts"
import { MetricsHandlers } from "./handlers/MetricsHandlers.ts"
import { PagesHandlers } from "./handlers/pages/PagesHandlers.ts"
import { RenderingsHandlers } from "./handlers/pages/RenderingsHandlers.ts"
import { ChunksHandlers } from "./handlers/search/ChunksHandlers.ts"
import { SearchHandlers } from "./handlers/search/SearchHandlers.ts"
import { ArtifactsHandlers } from "./handlers/pipelines/ArtifactsHandlers.ts"
import { ImagesHandlers } from "./handlers/pipelines/ImagesHandlers.ts"
import { PipelinesHandlers } from "./handlers/pipelines/PipelinesHandlers.ts"
import { QueueHandlers } from "./handlers/QueueHandlers.ts"
import * as RequestMetrics from "./edge/RequestMetrics.ts"
import { TenantsHandlers } from "./handlers/TenantsHandlers.ts"
import * as Tracing from "./edge/Tracing.ts"
import { WebhookHandlers } from "./handlers/WebhookHandlers.ts"
import { WorkersHandlers } from "./handlers/WorkersHandlers.ts"

const Handlers = Layer.mergeAll(
  DocumentsHandlers,
  PagesHandlers,
  RenderingsHandlers,
  ChunksHandlers,
  SearchHandlers,
  ArtifactsHandlers,
  ImagesHandlers,
  PipelinesHandlers,
  EventsHandlers,
  IngestHandlers,
  QueueHandlers,
  TenantsHandlers,
  KeysHandlers,
  WorkersHandlers,
  DownstreamsHandlers,
  UsageHandlers,
  CallbacksHandlers,
  WebhookHandlers,
  HealthHandlers,
  MetricsHandlers
)

/** What a process without the interface answers: probes and metrics. */
const ownRoutes = HttpApiBuilder.layer(OwnApi).pipe(
  Layer.merge(RequestMiddleware.layer),
  Layer.provide([HealthHandlers, MetricsHandlers]),
  Layer.provide(RequestRules.layer)
)

const allRoutes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }),
  HttpApiSwagger.layer(Api, { path: "/docs" }),
  DashboardHandlers,
  RequestMiddleware.layer
).pipe(Layer.provide(Handlers), Layer.provide(RequestRules.layer))

/** The limit for bodies that are held in memory, for every endpoint. Uploads are streams and have no such limit. */
const largestBody = ByteSize.mebibytes(4)

const serve = <E, R>(routes: Layer.Layer<never, E, R>) =>
  Layer.unwrap(
    Effect.map(UnsentBytes, ({ deliver }) =>
      HttpRouter.serve(routes, {
        disableLogger: true,
        disableListenLog: true,
        // `deliver` runs after compression, so it counts the bytes that are sent.
        middleware: (app) =>
          RequestMetrics.middleware(Compression.middleware(HttpEffect.withPreResponseHandler(app, deliver)))
      })
    )
  )

const served = Layer.unwrap(
  Effect.map(RoleConfig, (role) => (role === "runner" ? serve(ownRoutes) : serve(allRoutes)))
).pipe(
  Layer.provide([Tracing.layer, Compression.layer]),
  Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize)(largestBody))
)

/** Serves the API. `Authentication` decides who may send requests, `TenantIdentification` which tenant a request belongs to. */
export const layerNoDeps = LiveStreams.layerClosing.pipe(
  Layer.provide(served),
  // The HTTP server may use these layers too: each is built only once.
  Layer.provide([LiveStreams.layer, LoadShedding.layer, UnsentBytes.layer])
)

/** `layerNoDeps`, configured by the environment. */
export const layer = layerNoDeps.pipe(
  Layer.provide([
    CurrentTenant.layer,
    MetricsAccess.layer.pipe(Layer.provide(Authentication.layer)),
    HostPolicy.layer,
    limitsFromEnv,
    OutboundPolicy.layerFromEnv,
    unsentLimitsFromEnv
  ])
)
