import type { Duration, Effect, Option } from "effect"
import { Context } from "effect"
import type { DocumentId, RunnerId, TenantId } from "../../domain/Ids.ts"
import type {
  DeliveryLog,
  DeliveryRecord,
  EndpointHealth,
  PendingCallback,
  Webhook
} from "../../domain/webhook/Webhook.ts"
import type { Owed } from "./QueueFigures.ts"
import type { DocumentNotFound, NotDeliverable, StoreUnavailable } from "./StoreErrors.ts"

export interface CallbackClaims {
  readonly runner: RunnerId
  readonly limit: number
  /** So many callbacks of one tenant may be leased at a time, by all runners. */
  readonly perTenant: number
  /** From now on. It has to last longer than a delivery, because it is not renewed. */
  readonly lease: Duration.Duration
  /** Tenants take turns in the order of their ids, beginning after this one. */
  readonly after?: TenantId | undefined
}

/** Webhooks of tenants, the ends of documents that are owed to them and to callbacks, and the log of deliveries. */
export class WebhookStore extends Context.Service<
  WebhookStore,
  {
    readonly findWebhook: (tenant: TenantId) => Effect.Effect<Option.Option<Webhook>, StoreUnavailable>
    /** Sets the URL and enables the endpoint; the secret is used only if there was none. */
    readonly putWebhook: (
      tenant: TenantId,
      webhook: { readonly url: string | undefined; readonly sealedSecret: string }
    ) => Effect.Effect<{ readonly webhook: Webhook; readonly created: boolean }, StoreUnavailable>
    /** Adds a newest secret. The one before it expires after `overlap`; an older one is forgotten. */
    readonly rotateSecret: (
      tenant: TenantId,
      rotation: { readonly sealedSecret: string; readonly overlap: Duration.Duration }
    ) => Effect.Effect<Option.Option<Webhook>, StoreUnavailable>
    /**
     * Removes the endpoint with its secrets; answers whether there was one. Ends owed to it come up once more, without a
     * receiver.
     */
    readonly removeWebhook: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>
    /**
     * Leases callbacks that are due by the store's clock, so that no two runners deliver one at the same time: ends of
     * documents that are owed to their own callback, or to the endpoint that the tenant had, enabled, when they ended. First
     * the oldest of each tenant, then the second of each, and so on. The cost depends on `limit`, and not on how much is owed.
     * Ends before the document that would make the answer larger than `portionBytes`, except for the first one.
     */
    readonly claimCallbacks: (claims: CallbackClaims) => Effect.Effect<ReadonlyArray<PendingCallback>, StoreUnavailable>
    /** Ends the leases of the runner, or of all runners when none is named: what they held can be claimed at once. */
    readonly releaseCallbacks: (runner?: RunnerId) => Effect.Effect<void, StoreUnavailable>
    /** How many ends are owed to any receiver, and since when the oldest is: of one tenant, or of all when none is named. */
    readonly owed: (tenant?: TenantId) => Effect.Effect<Owed, StoreUnavailable>
    /**
     * Logs a try, ends its lease, and settles what was owed unless the try names the next one. If the callback was claimed
     * again since, then the try is only logged: the later claim decides. If the document was retried since, or is to be
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
    /**
     * Makes the end of the document owed once more from now on, whatever the result before. A try that is under way ends first.
     */
    readonly redeliver: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<void, DocumentNotFound | NotDeliverable | StoreUnavailable>
  }
>()("sluice/services/store/WebhookStore") {}
