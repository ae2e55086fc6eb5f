import { DateTime, Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { TenantId } from "../../domain/Ids.ts"
import type { Webhook } from "../../domain/webhook/Webhook.ts"
import type { Owed } from "../../services/store/QueueFigures.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { type WebhookNotFound, Webhooks } from "../../actors/webhooks/Webhooks.ts"
import { Api } from "../api/Api.ts"
import { callbackAllowed } from "../upload/CallbackTarget.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { storeProblems, unavailable } from "../api/problems/Failures.ts"
import { NotFound } from "../api/problems/Problems.ts"
import { named } from "./TenantsHandlers.ts"
import type { WebhookChange, WebhookView } from "../api/Webhook.ts"

const viewOf = (tenantId: TenantId, webhook: Webhook, owed: Owed, now: number): typeof WebhookView.Type => ({
  tenantId,
  owed: {
    deliveries: owed.deliveries,
    ...(owed.since !== undefined && { oldestSeconds: Math.max(0, now - owed.since) / 1000 })
  },
  createdAt: DateTime.makeUnsafe(webhook.createdAt),
  ...(webhook.url !== undefined && { url: webhook.url }),
  secrets: webhook.secrets
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
    .map(({ createdAt, expiresAt }) => ({
      createdAt: DateTime.makeUnsafe(createdAt),
      ...(expiresAt !== undefined && { expiresAt: DateTime.makeUnsafe(expiresAt) })
    })),
  ...(webhook.failingSince !== undefined && { failingSince: DateTime.makeUnsafe(webhook.failingSince) }),
  ...(webhook.disabled && {
    disabledAt: DateTime.makeUnsafe(webhook.disabled.at),
    disabledReason: webhook.disabled.reason
  })
})

const problems = <A, R>(effect: Effect.Effect<A, WebhookNotFound | StoreUnavailable, R>) =>
  Effect.catchTags(effect, {
    StoreUnavailable: unavailable,
    WebhookNotFound: (error) =>
      Effect.fail(
        new NotFound({ code: "WEBHOOK_NOT_FOUND", detail: error.message, advice: "Make one with PUT /v1/webhook." })
      )
  })

export const WebhookHandlers = HttpApiBuilder.group(
  Api,
  "webhook",
  Effect.fn(function* (handlers) {
    const webhooks = yield* Webhooks

    const view = Effect.fnUntraced(function* (tenant: TenantId, webhook: Webhook) {
      const now = yield* DateTime.now
      return viewOf(tenant, webhook, yield* storeProblems(webhooks.owed(tenant)), now.epochMilliseconds)
    })
    const find = (tenant: TenantId) =>
      Effect.flatMap(problems(webhooks.find(tenant)), (webhook) => view(tenant, webhook))
    const put = Effect.fnUntraced(function* (tenant: TenantId, { url }: typeof WebhookChange.Type) {
      yield* callbackAllowed("payload", "url", url)
      const { secret, webhook } = yield* storeProblems(webhooks.put(tenant, url ?? undefined))
      return { ...(yield* view(tenant, webhook)), ...(secret && { secret: Redacted.value(secret) }) }
    })
    const rotate = Effect.fnUntraced(function* (tenant: TenantId) {
      const { secret, webhook } = yield* problems(webhooks.rotate(tenant))
      return { ...(yield* view(tenant, webhook)), secret: Redacted.value(secret) }
    })
    const remove = (tenant: TenantId) => problems(webhooks.remove(tenant))
    const own = Effect.map(CurrentTenant, ({ id }) => id)

    return handlers.handleAll({
      find: () => Effect.flatMap(own, find),
      put: ({ payload }) => Effect.flatMap(own, (tenant) => put(tenant, payload)),
      remove: () => Effect.flatMap(own, remove),
      rotate: () => Effect.flatMap(own, rotate),
      findOf: Effect.fnUntraced(function* ({ params: { tenant } }) {
        yield* named(tenant)
        return yield* find(tenant)
      }, Effect.scoped),
      putOf: Effect.fnUntraced(function* ({ params: { tenant }, payload }) {
        yield* named(tenant)
        return yield* put(tenant, payload)
      }, Effect.scoped),
      removeOf: Effect.fnUntraced(function* ({ params: { tenant } }) {
        yield* named(tenant)
        return yield* remove(tenant)
      }, Effect.scoped),
      rotateOf: Effect.fnUntraced(function* ({ params: { tenant } }) {
        yield* named(tenant)
        return yield* rotate(tenant)
      }, Effect.scoped)
    })
  })
)
