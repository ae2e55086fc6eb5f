import type { DateTime, Effect, Option, Redacted, Scope, Stream } from "effect"
import { Context, Schema } from "effect"
import type { Change } from "../domain/Change.ts"
import { Document } from "../domain/document/Document.ts"
import type { IngestEvent } from "../domain/Event.ts"
import { Failure } from "../domain/Failure.ts"
import { DocumentId, type TenantId } from "../domain/Ids.ts"
import type { PageResult } from "../domain/document/Page.ts"
import type { TenantLimits, TenantLimitsPatch } from "../domain/tenant/TenantLimits.ts"
import type { TenantState } from "../domain/tenant/TenantState.ts"
import type { BlobStoreUnavailable } from "../services/BlobStore.ts"
import type {
  DocumentNotFound,
  KeptAnswer,
  ListOptions,
  NotRetryable,
  PagesOptions,
  QuotaReached,
  StoreUnavailable
} from "../services/store/DocumentStore.ts"
import type { StorageFull } from "../services/StorageHealth.ts"

/** The submission itself is at fault; nothing of it was kept. */
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
  /** From 1 to 300. A caller that waits so long finds the place that it was promised, unless others take it first. */
  retryAfterSeconds: Schema.Natural
}) {
  override get message() {
    return limitWords[this.limit](this.allowed)
  }
}

/** The document a submission was answered with: a new one, or the one that stands in for it. */
export class Submitted extends Document.extend<Submitted>("sluice/Submitted")({
  /** The document's own id, when it was there before. */
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
  /** Kept sealed until the document is terminal. */
  readonly password?: Redacted.Redacted | undefined
  /** An http(s) URL that is told of the terminal state. */
  readonly callback?: string | undefined
  /**
   * Makes a new document in any case. Otherwise one of the tenant with the same bytes, name and password stands in, if
   * it waits, runs, or ended `completed` or `partial`, and if its callback is the one asked for.
   */
  readonly force?: boolean | undefined
  /** How many bytes will come, when that is known beforehand. */
  readonly size?: number | undefined
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
  /** Of a tenant: nothing new is started. */
  readonly paused: boolean
  /**
   * Until a document accepted now would start, estimated from what waits and what documents cost lately. Nobody knows of a
   * tenant that is paused; in the whole engine, paused tenants' documents do not count.
   */
  readonly estimatedWaitSeconds: number | undefined
}

/**
 * What a watcher is told. With the `id` of the last thing that it was told it may ask for all that came after, also of another
 * run of the service.
 */
export type News =
  | { readonly _tag: "Changed"; readonly id: number; readonly change: Change }
  | { readonly _tag: "Queue"; readonly id: number; readonly status: QueueStatus }
  /** Nothing else has happened. */
  | { readonly _tag: "Quiet"; readonly id: number }

/**
 * The engine as its users see it, over HTTP or embedded. Every method takes the tenant first and sees only that tenant's
 * documents. When `submit` succeeds, the document is durable and will reach a terminal state.
 */
export class Ingestion extends Context.Service<
  Ingestion,
  {
    /**
     * Stores the bytes of a PDF, a stream's while they arrive, then accepts the document. Refuses before reading anything if a limit is reached,
     * and so also what another document could stand in for: that shows only when the bytes are known.
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
    /** With its outline, and with why it waits and until when, as long as it has not ended. */
    readonly status: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** Without either. */
    readonly find: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    readonly list: (tenant: TenantId, options: ListOptions) => Effect.Effect<ReadonlyArray<Document>, StoreUnavailable>
    /** Pages that have a result, in order; also while the document runs. */
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
    /** Ends the document if it is not terminal. Idempotent; returns once its work has been told to stop. */
    readonly cancel: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** Cancels what is not finished, then removes the document, its pages and, if nothing else refers to it, its blob. */
    readonly remove: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<void, DocumentNotFound | StoreUnavailable | BlobStoreUnavailable>
    /**
     * Takes back a submission whose caller has not learned of it, with `shares` others of the same caller that were answered
     * with the same document. It stays if there are still others.
     */
    readonly withdraw: (
      tenant: TenantId,
      id: DocumentId,
      shares?: number
    ) => Effect.Effect<void, StoreUnavailable | BlobStoreUnavailable>
    /**
     * Reads the failed pages of a `partial` or `failed` document again; the others stay. Permanent failures may be retried
     * too: a limit may have been raised, the password may come now, damaged bytes may have been uploaded again.
     */
    readonly retry: (
      tenant: TenantId,
      id: DocumentId,
      options?: { readonly password?: Redacted.Redacted | undefined }
    ) => Effect.Effect<Document, DocumentNotFound | NotRetryable | LimitReached | ShuttingDown | StoreUnavailable>
    /** From now on nothing of the tenant is started, also after a restart. What runs goes on; submissions are accepted. */
    readonly pause: (tenant: TenantId) => Effect.Effect<void, StoreUnavailable>
    readonly resume: (tenant: TenantId) => Effect.Effect<void, StoreUnavailable>
    /**
     * Changes what the tenant may have, from now on and also after a restart. What runs goes on. With `paused` the tenant is
     * paused or resumed by the same change: nothing starts under one half of it.
     */
    readonly setLimits: (
      tenant: TenantId,
      patch: TenantLimitsPatch,
      paused?: boolean
    ) => Effect.Effect<TenantLimits, StoreUnavailable>
    /** Holds the key until the scope closes; the answer kept under it in the last 24 hours, if any. */
    readonly reserveKey: (
      tenant: TenantId,
      key: string
    ) => Effect.Effect<Option.Option<KeptAnswer>, KeyInUse | StoreUnavailable, Scope.Scope>
    /** Keeps the answer to a request under a key that is held. `request` is all that makes the request what it is. */
    readonly keepAnswer: (
      tenant: TenantId,
      key: string,
      request: Redacted.Redacted,
      answer: Pick<KeptAnswer, "body" | "bytes">
    ) => Effect.Effect<void, StoreUnavailable>
    /** Whether the answer was kept for this request. */
    readonly answers: (tenant: TenantId, kept: KeptAnswer, request: Redacted.Redacted) => Effect.Effect<boolean>
    readonly queueStatus: (tenant?: TenantId) => Effect.Effect<QueueStatus, StoreUnavailable>
    /** What the tenant may have, has, and gets of the workers' time. */
    readonly tenant: (tenant: TenantId) => Effect.Effect<TenantState, StoreUnavailable>
    /** What happens from now on. A subscriber that falls behind loses the oldest. */
    readonly events: (tenant: TenantId) => Stream.Stream<IngestEvent>
    /** What has become of the document so far, then what happens to it, up to its end; `DocumentEnded` is never missed. */
    readonly follow: (
      tenant: TenantId,
      id: DocumentId
    ) => Stream.Stream<IngestEvent, DocumentNotFound | StoreUnavailable>
    /**
     * Changes of the tenant's documents, or of all documents, in the order in which they came: from now on, or after what is
     * known already. A document that changed several times since is told once, as it is. Queues are told when they have changed,
     * at most once a second. Without end; a reader may be slow and misses nothing.
     */
    readonly watch: (tenant: TenantId | undefined, after?: number | undefined) => Stream.Stream<News, StoreUnavailable>
    /**
     * The document as it is, what becomes of it, and its pages, also those that were there before; its end comes last, and ends the
     * stream, and so does its removal. With `after` only what came after that; none if all of it is known.
     */
    readonly watchDocument: (
      tenant: TenantId,
      id: DocumentId,
      after?: number | undefined
    ) => Effect.Effect<Option.Option<Stream.Stream<News, StoreUnavailable>>, DocumentNotFound | StoreUnavailable>
    /** From now on. Each run of what it answers with waits until something has become of the document since the run before. */
    readonly changed: (id: DocumentId) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
    /** What is held for watchers, and how many there are. */
    readonly watching: Effect.Effect<{ readonly changes: number; readonly watchers: number }>
    /** False once the engine is stopping and refuses submissions. */
    readonly accepting: Effect.Effect<boolean>
  }
>()("sluice/actors/Ingestion") {}
