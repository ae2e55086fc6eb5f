import { Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import type { Delivery, PendingCallback } from "../../src/domain/webhook/Webhook.ts"
import { BlobHash, DocumentId, RunnerId, TenantId } from "../../src/domain/Ids.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import type { BlobRemoval } from "../../src/services/store/BlobReferences.ts"
import type { Claim } from "../../src/services/store/Claim.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import type { BacklogLimits, NewDocument, Retry } from "../../src/services/store/NewDocument.ts"
import { WebhookStore } from "../../src/services/store/WebhookStore.ts"
import type { Stores } from "../support/store.ts"
import type { OpenedPdf } from "../../src/services/PdfEngine.ts"

/** Declares one test on a store of its own. */
export type Test = <E>(title: string, body: Effect.Effect<void, E, Stores>) => void

export const acme = TenantId.make("acme")
export const globex = TenantId.make("globex")
export const runner = RunnerId.make("runner-1")
export const plenty = { tenant: 1_000_000, global: 1_000_000 }

/** Ids that sort by their number, as ids sort by the time of acceptance. */
export const documentId = (number: number) =>
  DocumentId.make(`01900000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`)

export const blobHash = (number: number) => BlobHash.make(number.toString(16).padStart(64, "0"))

export const newDocument = (number: number, changes: Partial<NewDocument> = {}): NewDocument => ({
  id: documentId(number),
  tenantId: acme,
  name: `${number}.pdf`,
  source: { _tag: "Blob", hash: blobHash(number), size: 100 },
  priority: 5,
  notBefore: undefined,
  sealedPassword: undefined,
  passwordKey: undefined,
  callback: undefined,
  reuse: false,
  ...changes
})

export const page = (number: number, changes: Partial<PageResult> = {}): PageResult => ({
  number,
  status: "ok",
  width: 595.5,
  height: 842,
  rotation: 0,
  text: `text of page ${number}`,
  lines: `[{"text":"text of page ${number}","x":72.25,"y":72,"width":100,"height":12}]`,
  error: undefined,
  elapsedMillis: 2.5,
  ...changes
})

export const openedPdf: OpenedPdf = {
  pageCount: 3,
  metadata: {
    title: "Annual report",
    encrypted: false,
    hasJavaScript: false,
    hasAttachments: true,
    hasForms: false,
    hasXfa: false
  },
  outline: [
    { title: "Introduction", depth: 0, page: 1 },
    { title: "Lost", depth: 1 }
  ]
}

/** A lease given at one moment of the store's clock, and until another. */
export interface LeaseTimes {
  readonly runner: RunnerId
  readonly now: number
  readonly until: number
}

export const lease: LeaseTimes = { runner, now: 2_000, until: 10_000 }

/** Sets the clock to the moment, in milliseconds, before the step. */
export const at = <A, E, R>(moment: number, step: Effect.Effect<A, E, R>) =>
  Effect.andThen(TestClock.setTime(moment), step)

/** Accepts a document at a moment of the store's clock. */
export const accept = (
  number: number,
  { acceptedAt = 1_000, ...changes }: Partial<NewDocument> & { readonly acceptedAt?: number } = {}
) =>
  at(
    acceptedAt,
    DocumentQueue.use((queue) => queue.accept(newDocument(number, changes), plenty))
  )
/** Records that what was owed was delivered. */
export const settle = (pending: PendingCallback | undefined) =>
  WebhookStore.use((store) =>
    Effect.flatMap(Effect.fromNullishOr(pending), (owed) => store.recordDelivery(owed, tried(), undefined))
  )

/** The callbacks that can be claimed at that moment. Claims them, so that a try can be recorded, and ends their leases. */
export const pendingCallbacks = Effect.fnUntraced(function* (now: number, limit: number, after?: TenantId) {
  const store = yield* WebhookStore
  yield* TestClock.setTime(now)
  const claimed = yield* store.claimCallbacks({ runner, limit, perTenant: 1_000, lease: Duration.minutes(1), after })
  yield* store.releaseCallbacks(runner)
  return claimed
})

/** One try to deliver, which settles what was owed. */
export const tried = (changes: Partial<Omit<Delivery, "attempt">> = {}): Omit<Delivery, "attempt"> => ({
  at: 5_000,
  endpoint: "https://example.org",
  status: 200,
  error: undefined,
  elapsedMillis: 12,
  nextAt: undefined,
  ...changes
})

const requestOf = ({ now, runner, until }: LeaseTimes) => ({ runner, lease: Duration.millis(until - now) })

/** The tenant's next document, if there is one. */
export const tryClaim = (tenant = acme, using = lease) =>
  at(
    using.now,
    DocumentQueue.use((queue) => queue.claim(tenant, requestOf(using)))
  )

/** Claims what has to be there. */
export const claim = (tenant = acme, using = lease): Effect.Effect<Claim, unknown, DocumentQueue> =>
  Effect.flatMap(tryClaim(tenant, using), Effect.fromOption)

/** The number of the document claimed next, if any. */
export const claimNext = (tenant = acme) =>
  Effect.map(tryClaim(tenant), (claimed) => (Option.isSome(claimed) ? numberOf(claimed.value.document.id) : undefined))

export const renew = (using: LeaseTimes) =>
  at(
    using.now,
    DocumentQueue.use((queue) => queue.renew(requestOf(using)))
  )

/** Retries the document at a moment of the store's clock. */
export const retry = (
  tenant: TenantId,
  id: DocumentId,
  { at: moment, ...given }: Retry & { readonly at: number },
  limits: BacklogLimits
) =>
  at(
    moment,
    Documents.use((documents) => documents.retry(tenant, id, given, limits))
  )

export const hashesOf = (removals: ReadonlyArray<BlobRemoval>) => removals.map(({ hash }) => hash)

export const numberOf = (id: DocumentId) => Number.parseInt(id.slice(-12), 16)
