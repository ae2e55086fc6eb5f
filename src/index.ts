/**
 * Sluice inside an Effect program: provide `layerMemory()`, `layer` (configured by the environment), or `Engine.layer` over
 * services of your own, and use `Ingestion`.
 */
// Must come first: later imports may fail under another version of effect.
import "./domain/EffectCopy.ts"
export * as Engine from "./actors/Engine.ts"
export {
  type FoundArtifact,
  Ingestion,
  KeyInUse,
  LimitReached,
  type QueueStatus,
  type Rendering,
  type RenderingOptions,
  type RerunOptions,
  ShuttingDown,
  StageUnknown,
  SubmissionRejected,
  Submitted,
  type SubmitError,
  type SubmitOptions
} from "./actors/Ingestion.ts"
export * from "./domain/tenant/ApiKey.ts"
export * from "./domain/Change.ts"
export * from "./domain/document/Document.ts"
export * from "./domain/Event.ts"
export * from "./domain/downstream/Downstream.ts"
export * as Usage from "./domain/downstream/Usage.ts"
export * from "./domain/Failure.ts"
export * from "./domain/Ids.ts"
export * from "./domain/document/Page.ts"
export * as Layouts from "./domain/document/PageLayout.ts"
export * from "./domain/pipeline/Artifact.ts"
export * from "./domain/pipeline/Pipeline.ts"
export * from "./domain/pipeline/StageProgress.ts"
export { Renderer, type RenderFormat } from "./domain/rendering/Renderer.ts"
export { renderDefaults, type RenderOptions } from "./domain/rendering/RenderOptions.ts"
export { StructureCollector } from "./domain/rendering/structure/DocumentStructure.ts"
export { parsePrivateHosts, type PrivateHosts } from "./domain/net/PrivateHosts.ts"
export * from "./domain/tenant/TenantLimits.ts"
export * from "./domain/tenant/TenantState.ts"
export * from "./domain/document/Waiting.ts"
export * from "./domain/document/Warning.ts"
export * from "./domain/webhook/Webhook.ts"
export { layer, layerMemory, type MemoryOptions } from "./layers/Engine.ts"
export * as FileBlobStore from "./layers/blobs/FileBlobStore.ts"
export * as PdfJsEngine from "./layers/pdf/PdfEngine.ts"
export { decodeLayout } from "./domain/document/LayoutBytes.ts"
export * as FileSecrets from "./layers/SecretKeyFile.ts"
export * as GuardedSources from "./layers/net/Sources.ts"
export * as SqliteApiKeys from "./layers/sqlite/SqliteApiKeys.ts"
export * as SqliteBlobStore from "./layers/sqlite/SqliteBlobStore.ts"
export * as SqliteStore from "./layers/sqlite/SqliteStore.ts"
export * as SqliteTenantRegistry from "./layers/sqlite/SqliteTenantRegistry.ts"
export * as Telemetry from "./layers/observability/Telemetry.ts"
export * from "./services/apiKeys/ApiKeys.ts"
export * as ApiKeysMemory from "./services/apiKeys/ApiKeysMemory.ts"
export * from "./services/BlobBytes.ts"
export * from "./services/BlobStore.ts"
export * as BlobStoreMemory from "./services/BlobStoreMemory.ts"
export {
  layer as layerPipelines,
  makePipelines,
  type PipelineDeclaration,
  type PipelineMistake,
  PipelinesInvalid,
  type StepDeclaration
} from "./services/pipelines/PipelineDeclarations.ts"
export * from "./services/pipelines/Pipelines.ts"
export * from "./services/pipelines/Stage.ts"
export * from "./services/store/Artifacts.ts"
export * from "./services/store/BlobReferences.ts"
export * from "./services/store/ChangeLog.ts"
export * from "./services/store/Claim.ts"
export * from "./services/store/DocumentQueue.ts"
export * from "./services/store/Documents.ts"
export * from "./services/store/Fence.ts"
export * from "./services/store/IdempotencyStore.ts"
export * from "./services/store/NewDocument.ts"
export * from "./services/store/Outcome.ts"
export * from "./services/store/QueueFigures.ts"
export * from "./services/store/QueueStats.ts"
export * from "./services/store/StoreErrors.ts"
export * from "./services/store/WebhookStore.ts"
export * as StoreMemory from "./services/store/memory/StoreMemory.ts"
export * from "./services/config/EngineConfig.ts"
export * from "./services/downstreams/DownstreamHttp.ts"
export * from "./services/downstreams/Downstreams.ts"
export * from "./services/downstreams/DownstreamsConfig.ts"
export * as DownstreamSettings from "./services/downstreams/DownstreamSettings.ts"
export * from "./services/downstreams/UsageStore.ts"
export * from "./services/Events.ts"
/** Provide it to a layer of the engine: `Layer.succeed(OutboundPolicy.PrivateWebhooks, hosts)`. */
export * as OutboundPolicy from "./services/config/OutboundPolicy.ts"
export * from "./services/PdfEngine.ts"
export * from "./services/secrets/Secrets.ts"
export * as SecretsMemory from "./services/secrets/SecretsMemory.ts"
export * from "./services/Sources.ts"
export * from "./services/StorageHealth.ts"
export * from "./services/TenantRegistry.ts"
export * from "./actors/webhooks/Webhooks.ts"
