import type { Duration, Effect, Option } from "effect"
import { Context } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type { BlobHash, TenantId } from "../../domain/Ids.ts"
import type { OpenedPdf } from "../PdfEngine.ts"
import type { NewArtifact } from "./Artifacts.ts"
import type { BlobReference, BlobReferenceExpired } from "./BlobReferences.ts"
import type { Claim, LeaseRequest } from "./Claim.ts"
import type { Fence } from "./Fence.ts"
import type { BacklogLimits, NewDocument } from "./NewDocument.ts"
import type { Outcome, WholeDocument } from "./Outcome.ts"
import type { LeaseLost, QueueFull, QuotaReached, StoreUnavailable } from "./StoreErrors.ts"

type Fenced = LeaseLost | StoreUnavailable

/**
 * The way of documents from their acceptance to their end. When a call that writes succeeds, what it wrote is durable; when it
 * fails, nothing of it was kept. Changes are compare-and-set on the document's attempt, which grows with every claim and every
 * cancel.
 *
 * Time is the store's: acceptances, starts and ends have its moments, and leases and waits are durations that it measures. So
 * the clocks of several callers need not agree.
 */
export class DocumentQueue extends Context.Service<
  DocumentQueue,
  {
    /**
     * Creates the document, or answers with an existing one that stands in for it and has another id: with `reuse`, the
     * tenant's newest document with the same bytes, name, password and pipeline that waits, runs, or ended `completed` or `partial`. It
     * has to promise as much: the callback asked for, if any, and no later start. Such an answer needs no room in the backlog;
     * a caller that checks the backlog before it has the bytes may still refuse for want of room.
     */
    readonly accept: (
      document: NewDocument,
      limits: BacklogLimits
    ) => Effect.Effect<Document, QueueFull | QuotaReached | BlobReferenceExpired | StoreUnavailable>
    /**
     * The tenant's next queued document, by priority, then by age: it becomes `running` under a new attempt. None while
     * the tenant is paused, and while `most` of its documents run, under any runner.
     */
    readonly claim: (
      tenant: TenantId,
      request: LeaseRequest,
      most?: number
    ) => Effect.Effect<Option.Option<Claim>, StoreUnavailable>
    /** Renews all leases of the runner and returns the fences it still holds. */
    readonly renew: (request: LeaseRequest) => Effect.Effect<ReadonlyArray<Fence>, StoreUnavailable>
    /** The bytes were fetched from the document's URL. Ends the reference, and fails if it has run out. */
    readonly fetched: (
      fence: Fence,
      blob: { hash: BlobHash; size: number },
      reference?: BlobReference
    ) => Effect.Effect<void, Fenced | BlobReferenceExpired>
    readonly opened: (fence: Fence, pdf: OpenedPdf) => Effect.Effect<void, Fenced>
    /** Writes all of these pages or none, each once; a page that already has a result keeps it. */
    readonly savePages: (fence: Fence, pages: ReadonlyArray<PageResult>) => Effect.Effect<void, Fenced>
    /**
     * Writes all of these artifacts, and the pages that they gave their text, or nothing; each once: an artifact that is there
     * stays, and a page that already has a result keeps it. Ends the references to blobs of the artifacts, and fails if one has
     * run out.
     */
    readonly saveArtifacts: (
      fence: Fence,
      artifacts: ReadonlyArray<NewArtifact>,
      pages?: ReadonlyArray<PageResult>
    ) => Effect.Effect<void, Fenced | BlobReferenceExpired>
    /** Records that reading the page failed, or that it ended its worker while it was read alone. */
    readonly recordFault: (fence: Fence, page: number, fault: "failure" | "death") => Effect.Effect<void, Fenced>
    readonly finish: (fence: Fence, outcome: Outcome) => Effect.Effect<Document, Fenced>
    /** `opened`, `savePages` and `finish` at once. */
    readonly finishWhole: (fence: Fence, whole: WholeDocument, outcome: Outcome) => Effect.Effect<Document, Fenced>
    /** Gives the document back, at the head of its tenant's queue, with its finished pages kept. */
    readonly release: (fence: Fence) => Effect.Effect<void, Fenced>
    /** Returns documents whose lease has expired to their queues; answers with their tenants. */
    readonly reclaimExpired: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /**
     * Returns all running documents of the tenant to its queue, whatever their leases say; answers with their number. For the
     * only runner that runs the tenant's documents from now on: what another one still does under an old attempt is fenced.
     */
    readonly reclaimAll: (tenant: TenantId) => Effect.Effect<number, StoreUnavailable>
    /** Queues documents whose `notBefore` has come; answers with their tenants. */
    readonly queueDue: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Ends queued documents that have waited longer than this and never ran; at most `limit`, the oldest first. */
    readonly expireQueued: (
      waitedLongerThan: Duration.Duration,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Document>, StoreUnavailable>
    /** Whether a claim would get a document. */
    readonly hasQueued: (tenant: TenantId, most?: number) => Effect.Effect<boolean, StoreUnavailable>
    readonly tenantsWithRunning: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Without tenants that are paused. */
    readonly tenantsWithQueued: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
    /** Documents of a paused tenant are not claimed; those that run go on. */
    readonly setPaused: (tenant: TenantId, paused: boolean) => Effect.Effect<void, StoreUnavailable>
    readonly isPaused: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>
  }
>()("sluice/services/store/DocumentQueue") {}
