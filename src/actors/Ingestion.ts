import type { DateTime, Effect, Option, Redacted, Scope, Stream } from "effect"
import { Context, Schema } from "effect"
import type { Change } from "../domain/Change.ts"
import { Document } from "../domain/document/Document.ts"
import type { IngestEvent } from "../domain/Event.ts"
import { Failure } from "../domain/Failure.ts"
import { DocumentId, type TenantId } from "../domain/Ids.ts"
import type { PageResult } from "../domain/document/Page.ts"
import type { Artifact } from "../domain/pipeline/Artifact.ts"
import type { PipelineName, StageName, StageVersion } from "../domain/pipeline/Pipeline.ts"
import type { AllPipelines } from "../services/pipelines/Pipelines.ts"
import type { ArtifactKey, ArtifactsOptions } from "../services/store/Artifacts.ts"
import type { TenantLimits, TenantLimitsPatch } from "../domain/tenant/TenantLimits.ts"
import type { TenantState } from "../domain/tenant/TenantState.ts"
import type { BlobLost, BlobStoreUnavailable } from "../services/BlobStore.ts"
import type { KeptAnswer } from "../services/store/IdempotencyStore.ts"
import type { ListOptions, PagesOptions } from "../services/store/Documents.ts"
import type { DocumentNotFound, NotRetryable, QuotaReached, StoreUnavailable } from "../services/store/StoreErrors.ts"
import type { RunnerEntry } from "../services/runners/RunnerRegister.ts"
import type { StorageFull } from "../services/StorageHealth.ts"
import type { DownstreamFailure } from "../services/downstreams/Downstreams.ts"
import type { PageImage, PageImageError } from "../services/PageImages.ts"
import type { PdfUnreadable } from "../services/PdfEngine.ts"
import type { DrawOptions, NoImages } from "./renderings/DrawPage.ts"
import type { FoundArtifact } from "./stages/artifacts/ReadArtifacts.ts"
import type { Rendering, RenderingOptions } from "./renderings/Rendering.ts"

export type { DrawOptions } from "./renderings/DrawPage.ts"
import type { ChunkOptions, DocumentChunks } from "./chunks/ChunkDocument.ts"

export type { ChunkOptions, DocumentChunks } from "./chunks/ChunkDocument.ts"
export type { Rendering, RenderingOptions } from "./renderings/Rendering.ts"
export type { FoundArtifact } from "./stages/artifacts/ReadArtifacts.ts"

/** The submission itself is invalid. Nothing of it was kept. */
export class SubmissionRejected extends Schema.TaggedError<SubmissionRejected>()("SubmissionRejected", {
  failure: Failure
}) {
  override get message() {
    return this.failure.message
  }
}

/** The engine is stopping and takes no more work. */
export class ShuttingDown extends Schema.TaggedError<ShuttingDown>()("ShuttingDown", {}) {
  override get message() {
    return "the engine is shutting down"
  }
}

const limitWords = {
  tenant_rate: (allowed: number) => `the tenant may submit ${allowed} documents per second`,
  tenant_bytes: (allowed: number) => `the tenant's uploads in progress hold their limit of ${allowed} bytes`,
  global_bytes: (allowed: number) => `the uploads in progress hold their limit of ${allowed} bytes`,
  tenant_queue: (allowed: number) => `the tenant queue holds its limit of ${allowed} documents`,
  global_queue: (allowed: number) => `the global queue holds its limit of ${allowed} documents`
}

/** There is no room for the submission just now. Nothing of it was kept. */
export class LimitReached extends Schema.TaggedError<LimitReached>()("LimitReached", {
  limit: Schema.Literals(["tenant_rate", "tenant_bytes", "global_bytes", "tenant_queue", "global_queue"]),
  /** What the limit allows: documents per second, bytes, or documents that wait. */
  allowed: Schema.Finite,
  /** From 1 to 300. After this time the caller finds the promised place, unless another caller takes it first. */
  retryAfterSeconds: Schema.Natural
}) {
  override get message() {
    return limitWords[this.limit](this.allowed)
  }
}

/** The document that answers a submission: a new one, or an existing one of which the submission is a duplicate. */
export class Submitted extends Document.extend<Submitted>("sluice/Submitted")({
  /** The document's own id, if the document existed before the submission. */
  duplicateOf: Schema.optionalKey(DocumentId)
}) {}

/** A request with the same idempotency key is under way. */
export class KeyInUse extends Schema.TaggedError<KeyInUse>()("KeyInUse", {}) {
  override get message() {
    return "a request with this idempotency key is in progress"
  }
}

export type SubmitError =
  | SubmissionRejected
  | ShuttingDown
  | LimitReached
  | StorageFull
  | QuotaReached
  | StoreUnavailable
  | BlobStoreUnavailable

export interface SubmitOptions {
  /** Shown to people; never used as a path. */
  readonly name: string
  /** 0 to 9; 5 when absent. */
  readonly priority?: number | undefined
  readonly notBefore?: DateTime.Utc | undefined
  /** The pipeline it goes through; the tenant's, or else the engine's, when absent. */
  readonly pipeline?: PipelineName | undefined
  /** Kept sealed until the document is terminal. */
  readonly password?: Redacted.Redacted | undefined
  /** An http(s) URL that receives the terminal state. */
  readonly callback?: string | undefined
  /**
   * Always makes a new document. Otherwise the answer is a document of the tenant with the same bytes, name, password and
   * callback, if there is one that waits, runs, or ended `completed` or `partial`.
   */
  readonly force?: boolean | undefined
  /** The number of bytes of the upload, if it is known beforehand. */
  readonly size?: number | undefined
}

/** The document's pipeline has no such stage. */
export class StageUnknown extends Schema.TaggedError<StageUnknown>()("StageUnknown", {
  stage: Schema.String,
  pipeline: Schema.String
}) {
  override get message() {
    return `the pipeline ${this.pipeline} has no stage ${this.stage}`
  }
}

export interface RerunOptions {
  readonly stage: StageName
  /** Only what this version of the stage has made; all of its versions when absent. */
  readonly version?: StageVersion | undefined
  readonly password?: Redacted.Redacted | undefined
}

/** Gauges of one tenant, or of the whole engine. */
export interface QueueStatus {
  readonly waiting: number
  readonly maxWaiting: number
  readonly running: number
  readonly maxRunning: number
  /** Documents that may run at once. */
  readonly concurrency: number
  readonly processed: number
  readonly failed: number
  /** The tenant is paused: none of its documents is started. */
  readonly paused: boolean
  /**
   * The time until a document accepted now would start, estimated from the backlog and the recent costs of documents. It is
   * unknown for a paused tenant; the estimate for the whole engine leaves out the documents of paused tenants.
   */
  readonly estimatedWaitSeconds: number | undefined
}

/**
 * An item of a live stream. With the `id` of the last item it received, a watcher can ask for everything that came after,
 * also from a later run of the service.
 */
export type News =
  | { readonly _tag: "Changed"; readonly id: number; readonly change: Change }
  | { readonly _tag: "Queue"; readonly id: number; readonly status: QueueStatus }
  /** Nothing has changed. */
  | { readonly _tag: "Quiet"; readonly id: number }

/**
 * The engine as its users see it, over HTTP or embedded. Every method takes the tenant first and sees only that tenant's
 * documents. When `submit` succeeds, the document is durable and will reach a terminal state.
 */
export class Ingestion extends Context.Service<
  Ingestion,
  {
    /**
     * Stores the bytes of a PDF (those of a stream as they arrive), then accepts the document. If a limit is reached, it refuses
     * before it reads anything. It then refuses duplicates too, since a duplicate is recognised only by its bytes.
     */
    readonly submit: <E = never, R = never>(
      tenant: TenantId,
      bytes: Uint8Array | Stream.Stream<Uint8Array, E, R>,
      options: SubmitOptions
    ) => Effect.Effect<Submitted, SubmitError | E, R>
    /** Accepts a PDF that lies elsewhere: a path below the inbox folder, the hash of a blob the tenant has, or an http(s) URL. */
    readonly submitSource: (
      tenant: TenantId,
      source: string,
      options: Omit<SubmitOptions, "name"> & { readonly name?: string | undefined }
    ) => Effect.Effect<Submitted, SubmitError>
    /** The document with its outline and, until it has ended, why it waits and for how long. */
    readonly status: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** The document without its outline and its waiting. */
    readonly find: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    readonly list: (tenant: TenantId, options: ListOptions) => Effect.Effect<ReadonlyArray<Document>, StoreUnavailable>
    /** The pages that have a result, in order. Also available while the document runs. */
    readonly pages: (
      tenant: TenantId,
      id: DocumentId,
      options: PagesOptions
    ) => Effect.Effect<ReadonlyArray<PageResult>, DocumentNotFound | StoreUnavailable>
    /** The texts of the finished pages in order, read in bounded portions. */
    readonly text: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<Stream.Stream<string, StoreUnavailable>, DocumentNotFound | StoreUnavailable>
    /**
     * The finished pages as Markdown, HTML, text or JSON. The whole document is looked at first: levels of headings, running
     * lines, and what goes on over page breaks depend on it. Pages without layout are rendered from their text.
     */
    readonly render: (
      tenant: TenantId,
      id: DocumentId,
      options: RenderingOptions
    ) => Effect.Effect<Rendering, DocumentNotFound | StoreUnavailable>
    /** Draws a page of the document, also of one that has not ended. */
    readonly image: (
      tenant: TenantId,
      id: DocumentId,
      page: number,
      options: DrawOptions
    ) => Effect.Effect<
      PageImage,
      | DocumentNotFound
      | NoImages
      | PdfUnreadable
      | PageImageError
      | DownstreamFailure
      | StoreUnavailable
      | BlobLost
      | BlobStoreUnavailable
    >
    /**
     * The finished pages in chunks of at most so many tokens, for models and searches. Made anew each time: the same pages give
     * the same chunks.
     */
    readonly chunks: (
      tenant: TenantId,
      id: DocumentId,
      options: ChunkOptions
    ) => Effect.Effect<DocumentChunks, DocumentNotFound | StoreUnavailable>
    /** Cancels the document if it is not terminal. Idempotent; returns once its run has been asked to stop. */
    readonly cancel: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** Cancels the document if it has not ended, then removes it, its pages and, if nothing else refers to it, its blob. */
    readonly remove: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<void, DocumentNotFound | StoreUnavailable | BlobStoreUnavailable>
    /**
     * Takes back a submission whose answer did not reach its caller, and `shares` more submissions of this caller that were
     * answered with the same document. The document stays if other submissions were answered with it.
     */
    readonly withdraw: (
      tenant: TenantId,
      id: DocumentId,
      shares?: number
    ) => Effect.Effect<void, StoreUnavailable | BlobStoreUnavailable>
    /**
     * Reads the failed pages of a `partial` or `failed` document again; the other pages stay. Permanent failures may be retried
     * too: a limit may have been raised, the password may be given now, damaged bytes may have been uploaded again.
     */
    readonly retry: (
      tenant: TenantId,
      id: DocumentId,
      options?: { readonly password?: Redacted.Redacted | undefined }
    ) => Effect.Effect<Document, DocumentNotFound | NotRetryable | LimitReached | ShuttingDown | StoreUnavailable>
    /**
     * Runs one stage again for a document that ended `completed`, `partial` or `failed`: what it made is removed, in this version
     * only if one is named, and the document is queued. For a stage that provides text, the pages that it worked on are read
     * again, too. All else stays. Fails with `StageUnknown` if the document's pipeline has no such stage.
     */
    readonly rerunStage: (
      tenant: TenantId,
      id: DocumentId,
      options: RerunOptions
    ) => Effect.Effect<
      Document,
      DocumentNotFound | NotRetryable | StageUnknown | LimitReached | ShuttingDown | StoreUnavailable
    >
    /** What stages made of a document, without contents, in bounded portions. Also available while the document runs. */
    readonly artifacts: (
      tenant: TenantId,
      id: DocumentId,
      options: ArtifactsOptions
    ) => Effect.Effect<ReadonlyArray<Artifact>, DocumentNotFound | StoreUnavailable>
    /** One of them, with its content if it is `done`. */
    readonly artifact: (
      tenant: TenantId,
      id: DocumentId,
      key: ArtifactKey
    ) => Effect.Effect<Option.Option<FoundArtifact>, DocumentNotFound | StoreUnavailable>
    /** The pipelines that documents may name. */
    readonly pipelines: AllPipelines
    /** Starts no document of the tenant any more, also after a restart. Running documents go on; submissions are accepted. */
    readonly pause: (tenant: TenantId) => Effect.Effect<void, StoreUnavailable>
    readonly resume: (tenant: TenantId) => Effect.Effect<void, StoreUnavailable>
    /**
     * Changes the tenant's limits, from now on and also after a restart. Running documents go on. `paused` pauses or resumes
     * the tenant in the same change, so no document starts when only one half of the change is made.
     */
    readonly setLimits: (
      tenant: TenantId,
      patch: TenantLimitsPatch,
      paused?: boolean
    ) => Effect.Effect<TenantLimits, StoreUnavailable>
    /** Reserves the key until the scope closes. Returns the answer kept under it in the last 24 hours, if any. */
    readonly reserveKey: (
      tenant: TenantId,
      key: string
    ) => Effect.Effect<Option.Option<KeptAnswer>, KeyInUse | StoreUnavailable, Scope.Scope>
    /** Keeps the answer to a request under a reserved key. `request` contains everything that identifies the request. */
    readonly keepAnswer: (
      tenant: TenantId,
      key: string,
      request: Redacted.Redacted,
      answer: Pick<KeptAnswer, "body" | "bytes">
    ) => Effect.Effect<void, StoreUnavailable>
    /** Whether the answer was kept for this request. */
    readonly answers: (tenant: TenantId, kept: KeptAnswer, request: Redacted.Redacted) => Effect.Effect<boolean>
    readonly queueStatus: (tenant?: TenantId) => Effect.Effect<QueueStatus, StoreUnavailable>
    /** The tenant's limits, its use of them, and its share of the workers' time. */
    readonly tenant: (tenant: TenantId) => Effect.Effect<TenantState, StoreUnavailable>
    /** The events from now on. A subscriber that falls behind loses the oldest events. */
    readonly events: (tenant: TenantId) => Stream.Stream<IngestEvent>
    /** The events of the document, past and future, up to its end. `DocumentEnded` is never missed. */
    readonly follow: (
      tenant: TenantId,
      id: DocumentId
    ) => Stream.Stream<IngestEvent, DocumentNotFound | StoreUnavailable>
    /**
     * The changes of the tenant's documents, or of all documents, in their order: from now on, or after the number `after`.
     * A document that has changed several times since then appears once, in its present state. The status of a queue appears
     * when it has changed, at most once a second. The stream has no end; a slow reader misses nothing.
     */
    readonly watch: (tenant: TenantId | undefined, after?: number | undefined) => Stream.Stream<News, StoreUnavailable>
    /**
     * The document in its present state, its later changes, and all its pages, earlier ones too. The stream ends after the
     * document's end or its removal. With `after`, only what came after that number; no stream if there is nothing more to come.
     */
    readonly watchDocument: (
      tenant: TenantId,
      id: DocumentId,
      after?: number | undefined
    ) => Effect.Effect<Option.Option<Stream.Stream<News, StoreUnavailable>>, DocumentNotFound | StoreUnavailable>
    /** Returns an effect; each run of it waits until the document has changed since the previous run, or since this call. */
    readonly changed: (id: DocumentId) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
    /** The number of changes in memory for watchers, and the number of watchers. */
    /** The processes of the engine, this one first. */
    readonly runners: Effect.Effect<ReadonlyArray<RunnerEntry>, StoreUnavailable>
    readonly watching: Effect.Effect<{ readonly changes: number; readonly watchers: number }>
    /** False once the engine is stopping and refuses submissions. */
    readonly accepting: Effect.Effect<boolean>
  }
>()("sluice/actors/Ingestion") {}
