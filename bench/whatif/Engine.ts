import { Duration, Effect, Layer, Metric, Stream } from "effect"
import * as Engine from "../../src/actors/Engine.ts"
import { failure } from "../../src/domain/Failure.ts"
import type { IngestEvent } from "../../src/domain/Event.ts"
import * as BlobStoreMemory from "../../src/services/BlobStoreMemory.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import { PdfEngine, type PdfRef } from "../../src/services/PdfEngine.ts"
import { makeScriptedEngine, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { SourceRefused, Sources } from "../../src/services/Sources.ts"
import { type TenantOverrides, TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { idOf, scriptOf } from "./Script.ts"
import type { Settings } from "./Settings.ts"
import { layerIds } from "./VirtualTime.ts"
import type { TracedDocument, Workload } from "./Workload.ts"

/** Who wants to know what happens in a replay, at the moment it happens. */
export interface Watch {
  readonly works: (document: TracedDocument, workers: 1 | -1) => Effect.Effect<void>
  readonly happens: (event: IngestEvent) => Effect.Effect<void>
}

const noSources = Layer.succeed(Sources, {
  resolve: (text) => Effect.fail(new SourceRefused({ failure: failure("SOURCE_REFUSED", `${text} is not here`) })),
  readFile: () => Stream.empty,
  fetch: () => Stream.empty
})

/** The engine as it is, over stores in memory, and workers that take as long as the recorded ones. */
export const layerEngine = (workload: Workload, settings: Settings, tenants: TenantOverrides, watch: Watch) => {
  const { limits, workers } = workload.header
  const documents = new Map(workload.documents.map((document) => [document.id, document]))
  const scripted = makeScriptedEngine(
    (pdf) => {
      const document = documents.get(idOf(pdf))
      return document === undefined ? soundDocument(1) : scriptOf(document)
    },
    { capacity: settings.workers ?? workers }
  )
  const working = (pdf: PdfRef) => {
    const document = documents.get(idOf(pdf))
    return document === undefined
      ? Effect.void
      : Effect.acquireRelease(watch.works(document, 1), () => watch.works(document, -1))
  }
  const reader = Layer.effect(
    PdfEngine,
    Effect.map(PdfEngine, (engine) =>
      PdfEngine.of({
        ...engine,
        open: (pdf, head) => Effect.scoped(Effect.andThen(working(pdf), engine.open(pdf, head))),
        read: (pdf, pages, concurrency) => Stream.unwrap(Effect.as(working(pdf), engine.read(pdf, pages, concurrency)))
      })
    )
  ).pipe(Layer.provide(scripted.layer))
  const events = Layer.effect(
    Events,
    Effect.map(Events, (inner) =>
      Events.of({ ...inner, publish: (event) => Effect.andThen(watch.happens(event), inner.publish(event)) })
    )
  ).pipe(Layer.provide(Events.layer()))
  const config = EngineConfig.layer({
    globalDocuments: settings.documents ?? limits.documents,
    queueSize: settings.backlog ?? limits.backlog,
    pages: limits.pages,
    pageTimeout: Duration.millis(limits.pageTimeoutMillis),
    documentTimeout: Duration.millis(limits.documentTimeoutMillis),
    queueTtl: limits.queueTtlMillis === undefined ? undefined : Duration.millis(limits.queueTtlMillis)
  })
  return Engine.layer.pipe(
    Layer.provide([
      reader,
      events,
      noSources,
      StoreMemory.layerMemory,
      BlobStoreMemory.layerMemory,
      SecretsMemory.layerMemory,
      layerIds,
      Layer.succeed(Metric.MetricRegistry, new Map())
    ]),
    Layer.provide(TenantRegistry.layer(tenants)),
    Layer.provide(config),
    Layer.fresh
  )
}
