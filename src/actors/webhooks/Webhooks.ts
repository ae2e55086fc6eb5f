import { Context, Duration, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { DeliveryLog, Webhook } from "../../domain/webhook/Webhook.ts"
import { secretBytes, toSecret } from "../../domain/webhook/WebhookSignature.ts"
import { WebhookStore } from "../../services/store/WebhookStore.ts"
import type { Owed } from "../../services/store/QueueFigures.ts"
import type { DocumentNotFound, NotDeliverable, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { Secrets } from "../../services/secrets/Secrets.ts"

export class WebhookNotFound extends Schema.TaggedError<WebhookNotFound>()("WebhookNotFound", {}) {
  override get message() {
    return "the tenant has no webhook"
  }
}

/** The time that receivers have to adopt a new secret; meanwhile every message is signed with the previous one, too. */
export const secretOverlap = Duration.days(1)

/** Webhooks as tenants see them: endpoint, secrets, and the log of deliveries. A secret is shown only once, when it is made. */
export class Webhooks extends Context.Service<
  Webhooks,
  {
    readonly find: (tenant: TenantId) => Effect.Effect<Webhook, WebhookNotFound | StoreUnavailable>
    /**
     * Sets the tenant's endpoint and enables it. Without a URL, it only has deliveries to the documents' own callbacks signed.
     * The result contains the secret if the tenant had none before.
     */
    readonly put: (
      tenant: TenantId,
      url: string | undefined
    ) => Effect.Effect<{ readonly webhook: Webhook; readonly secret: Redacted.Redacted | undefined }, StoreUnavailable>
    /** Makes a new secret. The previous one stays valid for `secretOverlap`; an older one becomes invalid now. */
    readonly rotate: (
      tenant: TenantId
    ) => Effect.Effect<
      { readonly webhook: Webhook; readonly secret: Redacted.Redacted },
      WebhookNotFound | StoreUnavailable
    >
    readonly remove: (tenant: TenantId) => Effect.Effect<void, WebhookNotFound | StoreUnavailable>
    /** The deliveries that are still owed to the tenant's endpoint and callbacks. */
    readonly owed: (tenant: TenantId) => Effect.Effect<Owed, StoreUnavailable>
    readonly deliveries: WebhookStore["Service"]["deliveries"]
    /** Delivers the end of the document again, under the same id. Returns the present log of deliveries. */
    readonly redeliver: (
      tenant: TenantId,
      id: DocumentId
    ) => Effect.Effect<DeliveryLog, DocumentNotFound | NotDeliverable | StoreUnavailable>
  }
>()("sluice/actors/webhooks/Webhooks") {
  static readonly layerNoDeps = Layer.effect(
    Webhooks,
    Effect.gen(function* () {
      const store = yield* WebhookStore
      const secrets = yield* Secrets
      const random = yield* SecureRandom.SecureRandom

      const makeSecret = Effect.gen(function* () {
        const secret = toSecret(yield* random.randomBytes(secretBytes))
        return { secret, sealedSecret: yield* secrets.seal(secret) }
      })
      const found = (webhook: Option.Option<Webhook>) =>
        Option.match(webhook, { onNone: () => Effect.fail(new WebhookNotFound()), onSome: Effect.succeed })

      return Webhooks.of({
        find: Effect.fn("Webhooks.find")((tenant) => Effect.flatMap(store.findWebhook(tenant), found)),
        put: Effect.fn("Webhooks.put")(function* (tenant, url) {
          const { sealedSecret, secret } = yield* makeSecret
          const { created, webhook } = yield* store.putWebhook(tenant, { url, sealedSecret })
          return { webhook, secret: created ? secret : undefined }
        }),
        rotate: Effect.fn("Webhooks.rotate")(function* (tenant) {
          const { sealedSecret, secret } = yield* makeSecret
          const rotation = { sealedSecret, overlap: secretOverlap }
          const webhook = yield* Effect.flatMap(store.rotateSecret(tenant, rotation), found)
          return { webhook, secret }
        }),
        remove: Effect.fn("Webhooks.remove")(function* (tenant) {
          if (!(yield* store.removeWebhook(tenant))) return yield* new WebhookNotFound()
        }),
        owed: Effect.fn("Webhooks.owed")((tenant) => store.owed(tenant)),
        deliveries: Effect.fn("Webhooks.deliveries")((tenant, id) => store.deliveries(tenant, id)),
        redeliver: Effect.fn("Webhooks.redeliver")(function* (tenant, id) {
          yield* store.redeliver(tenant, id)
          return yield* store.deliveries(tenant, id)
        })
      })
    })
  )
}
