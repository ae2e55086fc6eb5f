import { ByteSize, Effect, Layer } from "effect"
import { HttpEffect, HttpIncomingMessage, HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiSwagger } from "effect/http-api"
import * as OutboundPolicy from "../services/OutboundPolicy.ts"
import { Api } from "./Api.ts"
import * as Authentication from "./Authentication.ts"
import { CallbacksHandlers } from "./CallbacksHandlers.ts"
import * as CurrentTenant from "./CurrentTenant.ts"
import { DashboardHandlers } from "./DashboardHandlers.ts"
import { DocumentsHandlers } from "./DocumentsHandlers.ts"
import * as Compression from "./edge/Compression.ts"
import { UnsentBytes, unsentLimitsFromEnv } from "./edge/UnsentBytes.ts"
import { EventsHandlers } from "./EventsHandlers.ts"
import * as RequestRules from "./edge/RequestRules.ts"
import { FloodControl } from "./FloodControl.ts"
import * as Guard from "./Guard.ts"
import * as HostPolicy from "./HostPolicy.ts"
import { HealthHandlers } from "./HealthHandlers.ts"
import { IngestHandlers } from "./IngestHandlers.ts"
import { KeysHandlers } from "./KeysHandlers.ts"
import * as MetricsAccess from "./MetricsAccess.ts"
import { limitsFromEnv, LiveStreams } from "./LiveStreams.ts"
import { MetricsHandlers } from "./MetricsHandlers.ts"
import { PagesHandlers } from "./PagesHandlers.ts"
import { QueueHandlers } from "./QueueHandlers.ts"
import * as RequestMetrics from "./RequestMetrics.ts"
import { TenantsHandlers } from "./TenantsHandlers.ts"
import * as Tracing from "./Tracing.ts"
import { WebhookHandlers } from "./WebhookHandlers.ts"
import { WorkersHandlers } from "./WorkersHandlers.ts"

const Handlers = Layer.mergeAll(
  DocumentsHandlers,
  PagesHandlers,
  EventsHandlers,
  IngestHandlers,
  QueueHandlers,
  TenantsHandlers,
  KeysHandlers,
  WorkersHandlers,
  CallbacksHandlers,
  WebhookHandlers,
  HealthHandlers,
  MetricsHandlers
)

const Routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }),
  HttpApiSwagger.layer(Api, { path: "/docs" }),
  DashboardHandlers,
  Guard.layer
).pipe(Layer.provide(Handlers), Layer.provide(RequestRules.layer))

/** Bodies that are held in memory, whatever their endpoint says; uploads are streams, which this does not concern. */
const largestBody = ByteSize.mebibytes(4)

const served = Layer.unwrap(
  Effect.map(UnsentBytes, ({ deliver }) =>
    HttpRouter.serve(Routes, {
      disableLogger: true,
      // What is counted is what is sent, so after it was compressed.
      middleware: (app) =>
        RequestMetrics.middleware(Compression.middleware(HttpEffect.withPreResponseHandler(app, deliver)))
    })
  )
).pipe(
  Layer.provide([Tracing.layer, Compression.layer]),
  Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize)(largestBody))
)

/** Answers on the server it is given. Who may is for `Authentication` to say, and whose the request is for `TenantIdentification`. */
export const layerNoDeps = LiveStreams.layerClosing.pipe(
  Layer.provide(served),
  // The server may have it too: a layer is built once.
  Layer.provide([LiveStreams.layer, FloodControl.layer, UnsentBytes.layer])
)

/** The same as the configuration says. */
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
