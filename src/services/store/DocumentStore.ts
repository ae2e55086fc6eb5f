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
  /** A blob that comes with its `bytes` has to be stored in the same step: it is stored nowhere else. */
  readonly source: ({ readonly _tag: "Blob" } & StoredBlob) | { readonly _tag: "Url"; readonly url: string }
  readonly priority: number
  /** In the future: the document is `scheduled` until then. */
  readonly notBefore: Moment | undefined
  /** The sealed password. Forgotten when the document becomes terminal. */
  readonly sealedPassword: string | undefined
  /** Distinguishes passwords without revealing them. */
  readonly passwordKey: string | undefined
  /** Where to announce the terminal state. */
  readonly callback: string | undefined
  /** Whether an existing document may stand in for this one. */
  readonly reuse: boolean
  /** A W3C `traceparent`, kept for the runs of the document. */
  readonly trace?: string | undefined
  readonly acceptedAt: Moment
}

/** A document whose failed pages are to be read again. Its password has to be given again, because it was forgotten. */
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

/** A document handed to a runner, with the results of earlier attempts. */
export interface Claim {
  readonly fence: Fence
  readonly document: Document
  readonly sealedPassword: string | undefined
  /** Numbers of the pages that have a result. */
  readonly donePages: ReadonlySet<number>
  /** Faults that earlier runs recorded for pages without a result. */
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
   * Ends before the document that would make the answer larger than about this, except for the first one. So fewer documents
   * than `limit` do not mean that there are no more: only an empty answer does.
   */
  readonly bytes?: number | undefined
}

export interface PagesOptions {
  readonly from: number
  readonly limit: number
  /** With `lines`; otherwise they are not read. */
  readonly detail: boolean
  /** With `layout`, of the pages that have one; otherwise it is not read. */
  readonly layout?: boolean | undefined
  /** Without `text`, too: it is empty. Not together with `detail` or `layout`. */
  readonly summary?: boolean | undefined
  /**
   * Ends before the page that would make texts, lines and layouts larger than about this, except for the first one. So fewer pages than
   * `limit` do not mean that there are no more: only an empty answer does.
   */
  readonly bytes?: number | undefined
}

/**
 * What the caller of a removal still has to do: stop the runner of the document, if any, and remove the blob that nothing
 * refers to.
 */
export interface Removed {
  readonly id: DocumentId
  readonly tenantId: TenantId
  readonly attempt: number
  /** The status before the removal. */
  readonly status: DocumentStatus
  readonly unusedBlob: BlobHash | undefined
}

/** The answer to a request that carried an idempotency key. */
export interface KeptAnswer {
  /** Of the request: another request with the same key has another fingerprint. */
  readonly fingerprint: string
  /** File bytes of the request: a request with more bytes is another one. */
  readonly bytes: number
  readonly body: string
  readonly keptAt: Moment
}

type Fenced = LeaseLost | StoreUnavailable

/** A document that was read in one call: the opened file, and the results of all pages that had none. */
export interface WholeDocument {
  readonly pdf: OpenedPdf
  readonly pages: ReadonlyArray<PageResult>
}

/**
 * The truth about documents. When a call that writes succeeds, what it wrote is durable; when it fails, nothing of it was kept.
 * Changes are compare-and-set on the document's attempt, which grows with every claim and every cancel.
 *
 * Only `find` answers with a document's outline, which may be much larger than all else, and only if asked for it; no answer
 * holds metadata or an outline larger than `Portions.ts` allows.
 */
export class DocumentStore extends Context.Service<
  DocumentStore,
  {
    /**
     * Creates the document, or answers with an existing one that stands in for it and has another id: with `reuse`, the
     * tenant's newest document with the same bytes, name and password that waits, runs, or ended `completed` or `partial`. It
     * has to promise as much: the callback asked for, if any, and no later start. Such an answer needs no room in the backlog;
     * a caller that checks the backlog before it has the bytes may still refuse for want of room.
     *
     * `committed` may be called with the answer once the document can be claimed, before it is durable. It has to be quick, and
     * not to throw. Claims and writes made from then on are durable only together with the document.
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
    /** Renews all leases of the runner and returns the fences it still holds. */
    readonly renew: (lease: Lease) => Effect.Effect<ReadonlyArray<Fence>, StoreUnavailable>
    /** The bytes were fetched from the document's URL. */
    readonly fetched: (fence: Fence, blob: { hash: BlobHash; size: number }) => Effect.Effect<void, Fenced>
    readonly opened: (fence: Fence, pdf: OpenedPdf) => Effect.Effect<void, Fenced>
    /** Writes all of these pages or none, each once; a page that already has a result keeps it. */
    readonly savePages: (fence: Fence, pages: ReadonlyArray<PageResult>) => Effect.Effect<void, Fenced>
    /** Records that reading the page failed, or that it ended its worker while it was read alone. */
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

    /** Returns documents whose lease has expired to their queues; answers with their tenants. */
    readonly reclaimExpired: (now: Moment) => Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Queues documents whose `notBefore` has come; answers with their tenants. */
    readonly queueDue: (now: Moment) => Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Ends queued documents that have waited since before `queuedBefore` and never ran; at most `limit`. */
    readonly expireQueued: (
      queuedBefore: Moment,
      at: Moment,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Document>, StoreUnavailable>
    /** Whether a claim would get a document. */
    readonly hasQueued: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>
    /** Without tenants that are paused. */
    readonly tenantsWithQueued: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>

    /** Ends the document unless it is terminal already; fences its runner out. Answers with the document as it is now. */
    readonly cancel: (
      tenant: TenantId,
      id: DocumentId,
      at: Moment
    ) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /** Removes a terminal document with its pages; answers with the blob's hash if no document refers to it any more. */
    readonly remove: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<Option.Option<BlobHash>, DocumentNotFound | StoreUnavailable>

    /** Removes the document in any status, unless it stands in for more submissions than `shares`, its own not counted. */
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

    /** Documents of a paused tenant are not claimed; those that run go on. */
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
    /** The number of the last change of any document. Every later one has a higher number. */
    readonly lastChange: Effect.Effect<number, StoreUnavailable>
    /**
     * Changes after that number: of one tenant, or of all when none is named. A document that changed several times comes once.
     * `limit` bounds the changes that are read, including other tenants' pages, so that one call takes little time: the answer
     * may have fewer changes, or none. Its documents are up to `portionBytes` in all, or one.
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
     * The documents that are claimed before this one, if it is queued: counted to a depth of `queueScanLimit` and no further.
     * Nothing is ahead of a document that is not queued.
     */
    readonly ahead: (tenant: TenantId, id: DocumentId) => Effect.Effect<Ahead, StoreUnavailable>
    /** Tenants with queued documents, and the number of these. Without tenants that are paused. */
    readonly backlogs: Effect.Effect<
      ReadonlyArray<{ readonly tenant: TenantId; readonly queued: number }>,
      StoreUnavailable
    >
    /** Documents that run, and queued documents that were opened before; at most `queueScanLimit` of each. */
    readonly underWay: Effect.Effect<ReadonlyArray<UnderWay>, StoreUnavailable>
    /**
     * Since when the tenant's oldest queued document waits: the least over the first of each priority. When no tenant is named,
     * since when the oldest of all waiting documents that never ran waits.
     */
    readonly oldestQueued: (tenant?: TenantId) => Effect.Effect<Option.Option<Moment>, StoreUnavailable>

    readonly findWebhook: (tenant: TenantId) => Effect.Effect<Option.Option<Webhook>, StoreUnavailable>
    /** Sets the URL and enables the endpoint; the secret is used only if there was none. */
    readonly putWebhook: (
      tenant: TenantId,
      webhook: { readonly url: string | undefined; readonly sealedSecret: string; readonly at: Moment }
    ) => Effect.Effect<{ readonly webhook: Webhook; readonly created: boolean }, StoreUnavailable>
    /** Adds a newest secret. The one before it expires at `expiresAt`; an older one is forgotten. */
    readonly rotateSecret: (
      tenant: TenantId,
      rotation: { readonly sealedSecret: string; readonly at: Moment; readonly expiresAt: Moment }
    ) => Effect.Effect<Option.Option<Webhook>, StoreUnavailable>
    /**
     * Removes the endpoint with its secrets; answers whether there was one. Ends owed to it come up once more, without a
     * receiver.
     */
    readonly removeWebhook: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>

    /**
     * Documents whose end is still owed at `now`, to their own callback or to the endpoint that the tenant had, enabled, when
     * they ended. Tenants take turns in the order of their ids, beginning after `after`: first the oldest of each, then the
     * second of each, and so on. The cost depends on `limit`, and not on how much is owed. Ends before the document that would
     * make the answer larger than `portionBytes`, except for the first one.
     */
    readonly pendingCallbacks: (
      now: Moment,
      limit: number,
      after?: TenantId
    ) => Effect.Effect<ReadonlyArray<PendingCallback>, StoreUnavailable>
    /** How many ends are owed to any receiver, and since when the oldest is: of one tenant, or of all when none is named. */
    readonly owed: (tenant?: TenantId) => Effect.Effect<Owed, StoreUnavailable>
    /**
     * Logs a try, and settles what was owed unless the try names the next one. If the document was retried since, or is to be
     * delivered again, it owes something else, which stays. Answers whether the try disabled the tenant's endpoint.
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
    /** Makes the end of the document owed once more from now on, whatever the result before. */
    readonly redeliver: (
      tenant: TenantId,
      id: DocumentId,
      at: Moment
    ) => Effect.Effect<void, DocumentNotFound | NotDeliverable | StoreUnavailable>

    /** Replaces the answer kept under the key before. */
    readonly keepAnswer: (tenant: TenantId, key: string, answer: KeptAnswer) => Effect.Effect<void, StoreUnavailable>
    readonly findAnswer: (tenant: TenantId, key: string) => Effect.Effect<Option.Option<KeptAnswer>, StoreUnavailable>
    /** Forgets at most `limit` answers kept before `keptBefore`; answers with their number. */
    readonly forgetAnswers: (keptBefore: Moment, limit: number) => Effect.Effect<number, StoreUnavailable>
  }
>()("sluice/services/store/DocumentStore") {}
