import type { Duration, Effect, Option } from "effect"
import { Context } from "effect"
import type { Document, DocumentStatus } from "../../domain/document/Document.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { BlobRemoval } from "./BlobReferences.ts"
import type { BacklogLimits, Rerun, Retry } from "./NewDocument.ts"
import type { DocumentNotFound, NotRetryable, QueueFull, StoreUnavailable } from "./StoreErrors.ts"

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
 * What the caller of a removal still has to do: stop the runner of the document, if any, and remove the blobs that nothing
 * refers to, whose removal is claimed.
 */
export interface Removed {
  readonly id: DocumentId
  readonly tenantId: TenantId
  readonly attempt: number
  /** The status before the removal. */
  readonly status: DocumentStatus
  readonly unusedBlobs: ReadonlyArray<BlobRemoval>
}

/** The states in which a document may be retried, and those in which a stage of it may be run again. */
export const retriedStates: ReadonlySet<DocumentStatus> = new Set(["partial", "failed"])
export const rerunStates: ReadonlySet<DocumentStatus> = new Set(["completed", "partial", "failed"])

/** A document that was queued again, and the blobs that were removed from it and are in no other use. */
export interface RerunDocument {
  readonly document: Document
  readonly unusedBlobs: ReadonlyArray<BlobRemoval>
}

/**
 * Documents as their tenants see them: what is known of them, and changes outside their runs. When a call that writes succeeds,
 * what it wrote is durable; when it fails, nothing of it was kept.
 *
 * Only `find` answers with a document's outline, which may be much larger than all else, and only if asked for it; no answer
 * holds metadata or an outline larger than `domain/document/Portions.ts` allows.
 */
export class Documents extends Context.Service<
  Documents,
  {
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
    /** Ends the document unless it is terminal already; fences its runner out. Answers with the document as it is now. */
    readonly cancel: (tenant: TenantId, id: DocumentId) => Effect.Effect<Document, DocumentNotFound | StoreUnavailable>
    /**
     * Removes a terminal document with its pages and artifacts. The removal of each of its blobs that nothing refers to any more
     * is claimed in the same commit, and is the caller's to make.
     */
    readonly remove: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<ReadonlyArray<BlobRemoval>, DocumentNotFound | StoreUnavailable>
    /** Removes the document in any status, unless it stands in for more submissions than `shares`, its own not counted. */
    readonly withdraw: (
      tenant: TenantId,
      id: DocumentId,
      shares: number
    ) => Effect.Effect<Option.Option<Removed>, StoreUnavailable>
    /** Removes documents that ended longer ago than this and owe no callback; at most `limit`, the oldest first. */
    readonly removeEnded: (
      endedLongerAgo: Duration.Duration,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Removed>, StoreUnavailable>
    /**
     * Queues a document that ended `partial` or `failed`, without its failed pages and their faults, without the artifacts that
     * failed or were skipped, and without the pages whose text a skipped stage was to give. If a page is read again, what was
     * made of the document as a whole goes, too; its blobs are left to the collection of unused ones. All else stays.
     */
    readonly retry: (
      tenant: TenantId,
      id: DocumentId,
      retry: Retry,
      limits: BacklogLimits
    ) => Effect.Effect<Document, DocumentNotFound | NotRetryable | QueueFull | StoreUnavailable>
    /**
     * Queues a document that ended `completed`, `partial` or `failed`, without the artifacts that are to be made again, and, if
     * asked for, without the pages whose text the stage gave or was to give; all else stays, also pages that failed for another
     * reason. The removal of blobs that nothing refers to any more is claimed in the same commit, and is the caller's to make.
     */
    readonly rerun: (
      tenant: TenantId,
      id: DocumentId,
      rerun: Rerun,
      retry: Retry,
      limits: BacklogLimits
    ) => Effect.Effect<RerunDocument, DocumentNotFound | NotRetryable | QueueFull | StoreUnavailable>
  }
>()("sluice/services/store/Documents") {}
