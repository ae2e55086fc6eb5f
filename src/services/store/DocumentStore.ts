import type { Effect, Option } from "effect"
import { Context } from "effect"
import type { BlobHash, DocumentId, TenantId } from "../../domain/Ids.ts"
import type {
  DeliveryLog,
  DeliveryRecord,
  EndpointHealth,
  PendingCallback,
  Webhook
} from "../../domain/webhook/Webhook.ts"
import type { DocumentNotFound, NotDeliverable, StoreUnavailable } from "./StoreErrors.ts"
import type { Owed } from "./QueueFigures.ts"

/** Moments are milliseconds since the epoch; the caller's clock is the only one. */
type Moment = number

/** The answer to a request that carried an idempotency key. */
export interface KeptAnswer {
  /** Of the request: another request with the same key has another fingerprint. */
  readonly fingerprint: string
  /** File bytes of the request: a request with more bytes is another one. */
  readonly bytes: number
  readonly body: string
  readonly keptAt: Moment
}

/** Webhooks and their deliveries, the answers to requests with idempotency keys, and which blobs are in use. */
export class DocumentStore extends Context.Service<
  DocumentStore,
  {
    /** Whether the tenant has a document with this blob; any tenant when none is named. */
    readonly refersTo: (hash: BlobHash, tenant?: TenantId) => Effect.Effect<boolean, StoreUnavailable>
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
