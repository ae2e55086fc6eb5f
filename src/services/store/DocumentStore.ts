import type { Effect, Option } from "effect"
import { Context } from "effect"
import type { Changes, DocumentChanges } from "../../domain/Change.ts"
import type { Document, DocumentStatus } from "../../domain/document/Document.ts"
import type { Failure } from "../../domain/Failure.ts"
import type { BlobHash, DocumentId, RunnerId, TenantId } from "../../domain/Ids.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type {
  DeliveryLog,
  DeliveryRecord,
  EndpointHealth,
  PendingCallback,
  Webhook
} from "../../domain/webhook/Webhook.ts"
import type {
  DocumentNotFound,
  LeaseLost,
  NotDeliverable,
  NotRetryable,
  QueueFull,
  QuotaReached,
  StoreUnavailable
} from "./StoreErrors.ts"
import type { StoredBlob } from "../BlobStore.ts"
import type { OpenedPdf } from "../PdfEngine.ts"
import type { Ahead, Owed, QueueStats, UnderWay } from "./QueueFigures.ts"

export * from "./StoreErrors.ts"
export * from "./QueueFigures.ts"

/** Moments are milliseconds since the epoch; the caller's clock is the only one. */
type Moment = number

export interface NewDocument {
  readonly id: DocumentId
  readonly tenantId: TenantId
  readonly name: string
  /** A blob that comes with its `bytes` is to be kept in the same step: it lies nowhere else. */
  readonly source: ({ readonly _tag: "Blob" } & StoredBlob) | { readonly _tag: "Url"; readonly url: string }
  readonly priority: number
  /** In the future: the document is `scheduled` until then. */
  readonly notBefore: Moment | undefined
  /** The sealed password. Forgotten when the document becomes terminal. */
  readonly sealedPassword: string | undefined
  /** Tells passwords apart without knowing them. */
  readonly passwordKey: string | undefined
  /** Where to announce the terminal state. */
  readonly callback: string | undefined
  /** Whether an existing document may stand in for this one. */
  readonly reuse: boolean
  /** A W3C `traceparent`, kept for whoever runs the document. */
  readonly trace?: string | undefined
  readonly acceptedAt: Moment
}

/** A document to be read again where it failed. The password has to come again, as it was forgotten. */
export interface Retry {
  readonly sealedPassword: string | undefined
  readonly passwordKey: string | undefined
  readonly at: Moment
}

/** Documents waiting (scheduled or queued) may not exceed these. */
export interface BacklogLimits {
  readonly tenant: number
  readonly global: number
  /** Bytes of the tenant's documents that may be kept; without bound when absent. */
  readonly storedBytes?: number | undefined
}

/** The right to write to a document: every write names it and is refused once the attempt has moved on. */
export interface Fence {
  readonly documentId: DocumentId
  readonly attempt: number
}

export interface Lease {
  readonly runner: RunnerId
  readonly now: Moment
  readonly until: Moment
}

/** A document handed to a runner, with what earlier attempts already achieved. */
export interface Claim {
  readonly fence: Fence
  readonly document: Document
  readonly sealedPassword: string | undefined
  /** Numbers of the pages that have a result. */
  readonly donePages: ReadonlySet<number>
  /** What earlier runs found wrong with pages that have no result yet. */
  readonly faults: ReadonlyMap<number, PageFaults>
}

/** How often reading the page failed, and how often it ended its worker. */
export interface PageFaults {
  readonly failures: number
  readonly deaths: number
}

export type Outcome =
  | { readonly status: "completed" | "partial" }
  | { readonly status: "failed"; readonly failure: Failure }

export interface ListOptions {
  /** Only documents in one of these states; each is named once. */
  readonly status: ReadonlyArray<DocumentStatus> | undefined
  /** Only documents accepted before this one. */
  readonly before: DocumentId | undefined
  readonly limit: number
  /**
   * Ends before the document with which all would be larger, about, but for the first one. So fewer than `limit` do not mean that
   * there are no more: only none does.
   */
  readonly bytes?: number | undefined
}

export interface PagesOptions {
  readonly from: number
  readonly limit: number
  /** With `lines`; otherwise they are left out to save the reading. */
  readonly detail: boolean
  /** Without `text`, too: it is empty. Not together with `detail`. */
  readonly summary?: boolean | undefined
  /**
   * Ends before the page with which texts and lines would be larger, about, but for the first one. So fewer than `limit` do not
   * mean that there are no more: only none does.
   */
  readonly bytes?: number | undefined
}

/** What a removal leaves to be done: stop the runner that may still hold it, and remove the blob nothing refers to. */
export interface Removed {
  readonly id: DocumentId
  readonly tenantId: TenantId
  readonly attempt: number
  /** What it was until then. */
  readonly status: DocumentStatus
  readonly unusedBlob: BlobHash | undefined
}

/** The answer to a request that carried an idempotency key. */
export interface KeptAnswer {
  /** Of the request; another request with the same key has another one. */
  readonly fingerprint: string
  /** File bytes of the request: one that brings more is another one. */
  readonly bytes: number
  readonly body: string
  readonly keptAt: Moment
}

type Fenced = LeaseLost | StoreUnavailable

/** A document that was read in one go: what opening it found, and all its pages that had no result yet. */
export interface WholeDocument {
  readonly pdf: OpenedPdf
  readonly pages: ReadonlyArray<PageResult>
}

/**
 * The truth about documents. When a call that writes succeeds, what it wrote is durable; when it fails, nothing of it was
 * kept. Changes are compare-and-set on the document's attempt, which grows with every claim and every cancel.
 *
 * No answer holds a document's outline, which may be much larger than all else, but the one of `find` that is asked for it; and
 * none holds metadata or an outline larger than `Portions.ts` says.
 */
export class DocumentStore extends Context.Service<
  DocumentStore,
  {
    /**
     * Makes the document, or answers with the one that stands in for it, which has another id: with `reuse`, the tenant's
     * newest document with the same bytes, name and password that waits, runs, or ended `completed` or `partial`. It has to
     * promise as much: the callback asked for, if any, and no later start. Such an answer needs no room in the backlog; a
     * caller that looks at the backlog before it has the bytes may still refuse for want of room.
     *
     * `committed` may be called with the answer as soon as it can be claimed, before it is durable. It has to be quick, and not to
     * throw. What is claimed and written then is durable only together with the document.
     */
    readonly accept: (
      document: NewDocument,
      limits: BacklogLimits,
      committed?: (document: Document) => void
    ) => Effect.Effect<Document, QueueFull | QuotaReached | StoreUnavailable>

    /**
     * The tenant's next queued document, by priority, then by age: it becomes `running` under a new attempt. None while
     * the tenant is paused.
     */
    readonly claim: (tenant: TenantId, lease: Lease) => Effect.Effect<Option.Option<Claim>, StoreUnavailable>
    /** Prolongs all leases of the runner and returns the fences it still holds. */
    readonly renew: (lease: Lease) => Effect.Effect<ReadonlyArray<Fence>, StoreUnavailable>
    /** The bytes were fetched from the document's URL. */
    readonly fetched: (fence: Fence, blob: { hash: BlobHash; size: number }) => Effect.Effect<void, Fenced>
    readonly opened: (fence: Fence, pdf: OpenedPdf) => Effect.Effect<void, Fenced>
    /** Writes all of these pages or none, each once; a page that already has a result keeps it. */
    readonly savePages: (fence: Fence, pages: ReadonlyArray<PageResult>) => Effect.Effect<void, Fenced>
    /** Remembers that reading the page came to nothing: it failed, or it ended its worker while it was read alone. */
    readonly recordFault: (fence: Fence, page: number, fault: "failure" | "death") => Effect.Effect<void, Fenced>
    readonly finish: (fence: Fence, outcome: Outcome, at: Moment) => Effect.Effect<Document, Fenced>
    /** `opened`, `savePages` and `finish` at once. */
    readonly finishWhole: (
      fence: Fence,
      whole: WholeDocument,
      outcome: Outcome,
      at: Moment
    ) => Effect.Effect<Document, Fenced>
    /** Gives the document back, at the head of its tenant's queue, with its finished pages kept. */
    readonly release: (fence: Fence) => Effect.Effect<void, Fenced>

    /** Returns documents whose lease has run out to their queues; the tenants concerned. */
    readonly reclaimExpired: (now: Moment) => Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Queues documents whose `notBefore` has come; the tenants concerned. */
    readonly queueDue: (now: Moment) => Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Ends queued documents that have waited since before `queuedBefore` without having run; at most `limit`. */
    readonly expireQueued: (
      queuedBefore: Moment,
      at: Moment,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Document>, StoreUnavailable>
    /** Whether a claim would find something. */
    readonly hasQueued: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>
    /** Without tenants that are paused. */
    readonly tenantsWithQueued: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>

    /** Ends the document unless it is terminal already; fences its runner out. Answers with the document as it is now. */
    readonly cancel: (
      tenant: TenantId,
      id: DocumentId,
      at: Moment
    ) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** Removes a terminal document with its pages; the blob's hash if no document refers to it any more. */
    readonly remove: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<Option.Option<BlobHash>, DocumentNotFound | StoreUnavailable>

    /** Removes the document in whatever state, unless it stands in for more than these submissions beside its own. */
    readonly withdraw: (
      tenant: TenantId,
      id: DocumentId,
      shares: number
    ) => Effect.Effect<Option.Option<Removed>, StoreUnavailable>
    /** Removes documents that ended before `finishedBefore` and owe no callback; at most `limit`, the oldest first. */
    readonly removeEnded: (
      finishedBefore: Moment,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Removed>, StoreUnavailable>
    /**
     * Queues a document that ended `partial` or `failed`, without its failed pages and their faults; its other pages stay.
     */
    readonly retry: (
      tenant: TenantId,
      id: DocumentId,
      retry: Retry,
      limits: BacklogLimits
    ) => Effect.Effect<Document, DocumentNotFound | NotRetryable | QueueFull | StoreUnavailable>

    /** Nothing of a paused tenant is claimed; what runs already goes on. */
    readonly setPaused: (tenant: TenantId, paused: boolean) => Effect.Effect<void, StoreUnavailable>
    readonly isPaused: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>

    readonly find: (
      tenant: TenantId,
      id: DocumentId,
      detail?: "outline"
    ) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** Newest first. */
    readonly list: (tenant: TenantId, options: ListOptions) => Effect.Effect<ReadonlyArray<Document>, StoreUnavailable>
    /** Finished pages in order, starting at page `from`. Empty also when there is no such document. */
    readonly pages: (
      tenant: TenantId,
      id: DocumentId,
      options: PagesOptions
    ) => Effect.Effect<ReadonlyArray<PageResult>, StoreUnavailable>
    /** The number of the last change, of whatever document. Every later one has a higher number. */
    readonly lastChange: Effect.Effect<number, StoreUnavailable>
    /**
     * What changed after that number: of one tenant, or of all when none is named. A document that changed several times comes
     * once. `limit` bounds what is looked at, also of other tenants' pages, so that one call takes little time: there may be less to
     * tell, or nothing. Documents are told up to `portionBytes` in all, or one.
     */
    readonly changes: (options: {
      readonly after: number
      readonly limit: number
      readonly tenant?: TenantId | undefined
    }) => Effect.Effect<Changes, StoreUnavailable>
    /** The document as it is now, and those of its pages that got their results after that number. */
    readonly changesOf: (
      tenant: TenantId,
      id: DocumentId,
      options: { readonly after: number; readonly limit: number }
    ) => Effect.Effect<DocumentChanges, DocumentNotFound | StoreUnavailable>
    /** Whether the tenant has a document with this blob; any tenant when none is named. */
    readonly refersTo: (hash: BlobHash, tenant?: TenantId) => Effect.Effect<boolean, StoreUnavailable>
    /** Of one tenant, or of all when none is named. */
    readonly stats: (tenant?: TenantId) => Effect.Effect<QueueStats, StoreUnavailable>
    /**
     * What is claimed before this document, if it is queued: exact to a depth of `queueScanLimit`, and no more than that
     * beyond. Nothing is ahead of a document that is not queued.
     */
    readonly ahead: (tenant: TenantId, id: DocumentId) => Effect.Effect<Ahead, StoreUnavailable>
    /** Tenants with queued documents, and how many. Without tenants that are paused. */
    readonly backlogs: Effect.Effect<
      ReadonlyArray<{ readonly tenant: TenantId; readonly queued: number }>,
      StoreUnavailable
    >
    /** Documents that run, and those queued ones that were opened before; at most `queueScanLimit` of either. */
    readonly underWay: Effect.Effect<ReadonlyArray<UnderWay>, StoreUnavailable>
    /**
     * Since when the oldest of the tenant's queued documents waits: the least over the first of each priority.
     * When none is named, since when the oldest of all those waits that never ran.
     */
    readonly oldestQueued: (tenant?: TenantId) => Effect.Effect<Option.Option<Moment>, StoreUnavailable>

    readonly findWebhook: (tenant: TenantId) => Effect.Effect<Option.Option<Webhook>, StoreUnavailable>
    /** Sets the URL and enables the endpoint; the secret counts only if there was none. */
    readonly putWebhook: (
      tenant: TenantId,
      webhook: { readonly url: string | undefined; readonly sealedSecret: string; readonly at: Moment }
    ) => Effect.Effect<{ readonly webhook: Webhook; readonly created: boolean }, StoreUnavailable>
    /** Puts a secret before the newest one, which expires then; one that was older is forgotten. */
    readonly rotateSecret: (
      tenant: TenantId,
      rotation: { readonly sealedSecret: string; readonly at: Moment; readonly expiresAt: Moment }
    ) => Effect.Effect<Option.Option<Webhook>, StoreUnavailable>
    /** With its secrets; whether there was one. What is still owed to it comes up once more, and then leads nowhere. */
    readonly removeWebhook: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>

    /**
     * Documents whose end is still owed at `now`, to their own callback or to the endpoint that the tenant had, enabled, when
     * they ended. Tenants take turns, by their ids from the one behind `after` on: first the oldest of each, then the second of
     * each, and so on. What it costs depends on `limit`, and not on how much is owed. Ends early before the document with which
     * all would be larger than `portionBytes`, but for the first one.
     */
    readonly pendingCallbacks: (
      now: Moment,
      limit: number,
      after?: TenantId
    ) => Effect.Effect<ReadonlyArray<PendingCallback>, StoreUnavailable>
    /** How many ends are owed, to whomever, and since when the oldest is: of one tenant, or of all when none is named. */
    readonly owed: (tenant?: TenantId) => Effect.Effect<Owed, StoreUnavailable>
    /**
     * Logs a try, and settles what was owed unless the try names the next one. If the document has been retried or is to be
     * delivered again since, it owes something else, which stays. Whether the tenant's endpoint was disabled by it.
     */
    readonly recordDelivery: (
      pending: PendingCallback,
      delivery: DeliveryRecord,
      health: EndpointHealth | undefined
    ) => Effect.Effect<boolean, StoreUnavailable>
    readonly deliveries: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<DeliveryLog, DocumentNotFound | StoreUnavailable>
    /** Owes the end of the document once more from now on, whatever became of it before. */
    readonly redeliver: (
      tenant: TenantId,
      id: DocumentId,
      at: Moment
    ) => Effect.Effect<void, DocumentNotFound | NotDeliverable | StoreUnavailable>

    /** In place of what was kept under the key before. */
    readonly keepAnswer: (tenant: TenantId, key: string, answer: KeptAnswer) => Effect.Effect<void, StoreUnavailable>
    readonly findAnswer: (tenant: TenantId, key: string) => Effect.Effect<Option.Option<KeptAnswer>, StoreUnavailable>
    /** Forgets answers kept before `keptBefore`; how many, at most `limit`. */
    readonly forgetAnswers: (keptBefore: Moment, limit: number) => Effect.Effect<number, StoreUnavailable>
  }
>()("sluice/services/store/DocumentStore") {}
