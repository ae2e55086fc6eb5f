import type { Effect, Option } from "effect"
import { Context } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type { BlobHash, TenantId } from "../../domain/Ids.ts"
import type { OpenedPdf } from "../PdfEngine.ts"
import type { Claim, Lease } from "./Claim.ts"
import type { Fence } from "./Fence.ts"
import type { BacklogLimits, NewDocument } from "./NewDocument.ts"
import type { Outcome, WholeDocument } from "./Outcome.ts"
import type { LeaseLost, QueueFull, QuotaReached, StoreUnavailable } from "./StoreErrors.ts"

/** Moments are milliseconds since the epoch; the caller's clock is the only one. */
type Moment = number

type Fenced = LeaseLost | StoreUnavailable

/**
 * The way of documents from their acceptance to their end. When a call that writes succeeds, what it wrote is durable; when it
 * fails, nothing of it was kept. Changes are compare-and-set on the document's attempt, which grows with every claim and every
 * cancel.
 */
export class DocumentQueue extends Context.Service<
  DocumentQueue,
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
    /** Documents of a paused tenant are not claimed; those that run go on. */
    readonly setPaused: (tenant: TenantId, paused: boolean) => Effect.Effect<void, StoreUnavailable>
    readonly isPaused: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>
  }
>()("sluice/services/store/DocumentQueue") {}
