/** `WebhookStore` of the store in memory. */
import { Clock, Duration, Effect, Option } from "effect"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { RunnerId, TenantId } from "../../../domain/Ids.ts"
import {
  deliveriesKept,
  type EndpointHealth,
  type PendingCallback,
  type Webhook
} from "../../../domain/webhook/Webhook.ts"
import { documentSize, portionBytes, upTo } from "../../../domain/document/Portions.ts"
import { NotDeliverable } from "../StoreErrors.ts"
import { type CallbackClaims, WebhookStore } from "../WebhookStore.ts"
import { type Records, type Stored, toDocument } from "./Records.ts"
import { located } from "./Steps.ts"

type Store = WebhookStore["Service"]
type Webhooks = Map<TenantId, Webhook>

interface Due {
  readonly stored: Stored
  readonly dueAt: number
}

/** The leases of callbacks, and the number of the last claim of each document. */
class CallbackLeases {
  readonly #leases = new Map<Stored, { readonly runner: RunnerId; readonly until: number }>()
  readonly #claims = new WeakMap<Stored, number>()

  /** Forgets leases that have ended by now. */
  expire(now: number): void {
    for (const [stored, { until }] of this.#leases) if (until <= now) this.#leases.delete(stored)
  }

  isHeld(stored: Stored): boolean {
    return this.#leases.has(stored)
  }

  heldBy(tenant: TenantId): number {
    return Array.from(this.#leases.keys()).filter(({ accepted }) => accepted.tenantId === tenant).length
  }

  /** Answers with the number of the claim. */
  take(stored: Stored, runner: RunnerId, until: number): number {
    const claim = (this.#claims.get(stored) ?? 0) + 1
    this.#claims.set(stored, claim)
    this.#leases.set(stored, { runner, until })
    return claim
  }

  /** Ends the lease, unless the callback was claimed again since: then answers with `false`. */
  end(stored: Stored, claim: number): boolean {
    if (this.#claims.get(stored) !== claim) return false
    this.#leases.delete(stored)
    return true
  }

  release(runner: RunnerId | undefined): void {
    for (const [stored, lease] of this.#leases) {
      if (runner === undefined || lease.runner === runner) this.#leases.delete(stored)
    }
  }
}

/** By tenant, those after `after` before the others; oldest first within each tenant. */
const byTenant = (
  due: ReadonlyArray<Due>,
  after: TenantId | undefined
): ReadonlyArray<readonly [TenantId, ReadonlyArray<Due>]> => {
  const tenants = Array.from(Map.groupBy(due, ({ stored }) => stored.accepted.tenantId)).toSorted(([a], [b]) =>
    a < b ? -1 : 1
  )
  const behind = tenants.filter(([tenant]) => after === undefined || tenant > after)
  return [...behind, ...tenants.slice(0, tenants.length - behind.length)]
}

/** The first of each tenant, then the second of each, and so on. */
const inTurns = (tenants: ReadonlyArray<ReadonlyArray<Due>>): ReadonlyArray<Due> =>
  tenants
    .flatMap((own) => own.map((one, turn) => ({ one, turn })))
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ one }) => one)

/** What can be claimed now, in turns of the tenants. */
const claimable = (records: Records, leases: CallbackLeases, now: number, claims: CallbackClaims) => {
  leases.expire(now)
  const due = Array.from(records.byId.values())
    .flatMap((stored): ReadonlyArray<Due> => {
      const { callbackDue } = stored
      const isFree = callbackDue !== undefined && callbackDue <= now && !leases.isHeld(stored)
      return isFree ? [{ stored, dueAt: callbackDue }] : []
    })
    .toSorted((a, b) => a.dueAt - b.dueAt)
  const own = byTenant(due, claims.after).map(([tenant, all]) =>
    all.slice(0, Math.max(0, claims.perTenant - leases.heldBy(tenant)))
  )
  const found = inTurns(own)
    .slice(0, claims.limit)
    .map((one) => ({ ...one, document: toDocument(one.stored) }))
  return upTo(found, portionBytes, ({ document }) => documentSize(document))
}

const endpoints = (
  webhooks: Webhooks
): Pick<Store, "findWebhook" | "putWebhook" | "rotateSecret" | "removeWebhook"> => ({
  findWebhook: Effect.fn("WebhookStore.findWebhook")((tenant) =>
    Effect.sync(() => Option.fromUndefinedOr(webhooks.get(tenant)))
  ),
  putWebhook: Effect.fn("WebhookStore.putWebhook")((tenant, { sealedSecret, url }) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      const before = webhooks.get(tenant)
      const webhook: Webhook = {
        url,
        secrets: before?.secrets ?? [{ sealed: sealedSecret, createdAt: at, expiresAt: undefined }],
        createdAt: before?.createdAt ?? at,
        changedAt: Math.max(at, (before?.changedAt ?? 0) + 1),
        failingSince: undefined,
        disabled: undefined
      }
      webhooks.set(tenant, webhook)
      return { webhook, created: before === undefined }
    })
  ),
  rotateSecret: Effect.fn("WebhookStore.rotateSecret")((tenant, { overlap, sealedSecret }) =>
    Effect.map(Clock.currentTimeMillis, (at) =>
      Option.map(Option.fromUndefinedOr(webhooks.get(tenant)), (before) => {
        const secrets = [
          { sealed: sealedSecret, createdAt: at, expiresAt: undefined },
          ...before.secrets.slice(0, 1).map((secret) => ({ ...secret, expiresAt: at + Duration.toMillis(overlap) }))
        ]
        const webhook = { ...before, secrets }
        webhooks.set(tenant, webhook)
        return webhook
      })
    )
  ),
  removeWebhook: Effect.fn("WebhookStore.removeWebhook")((tenant) => Effect.sync(() => webhooks.delete(tenant)))
})

/** Updates the endpoint's health, unless its URL was changed since. Answers whether this disabled the endpoint. */
const judge = (
  webhooks: Webhooks,
  { document: { tenantId }, webhook: known }: PendingCallback,
  at: number,
  health: EndpointHealth | undefined
): boolean => {
  const webhook = webhooks.get(tenantId)
  if (webhook === undefined || health === undefined || webhook.changedAt !== known?.changedAt) return false
  if (webhook.disabled !== undefined) return false
  if (health === "works") {
    webhooks.set(tenantId, { ...webhook, failingSince: undefined })
    return false
  }
  const failingSince = webhook.failingSince ?? at
  const disabled = at - failingSince >= health.toleranceMillis
  webhooks.set(tenantId, { ...webhook, failingSince, disabled: disabled ? { at, reason: health.reason } : undefined })
  return disabled
}

const callbacks = (
  records: Records,
  webhooks: Webhooks,
  leases: CallbackLeases
): Pick<Store, "claimCallbacks" | "releaseCallbacks" | "recordDelivery" | "owed"> => ({
  claimCallbacks: Effect.fn("WebhookStore.claimCallbacks")((claims) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      claimable(records, leases, now, claims).map(({ document, dueAt, stored }) => ({
        document,
        callback: stored.accepted.callback,
        webhook: webhooks.get(stored.accepted.tenantId),
        deliveries: stored.deliveries,
        dueAt,
        claim: leases.take(stored, claims.runner, now + Duration.toMillis(claims.lease))
      }))
    )
  ),
  releaseCallbacks: Effect.fn("WebhookStore.releaseCallbacks")((runner) => Effect.sync(() => leases.release(runner))),
  recordDelivery: Effect.fn("WebhookStore.recordDelivery")((pending, delivery, health) =>
    Effect.sync(() => {
      const stored = records.byId.get(pending.document.id)
      if (stored !== undefined) {
        const entry = { ...delivery, attempt: pending.deliveries + 1 }
        stored.deliveryLog = [entry, ...stored.deliveryLog].slice(0, deliveriesKept)
        const isCurrent = leases.end(stored, pending.claim)
        if (isCurrent && stored.callbackDue === pending.dueAt && stored.retries === pending.document.retries) {
          stored.deliveries++
          stored.callbackDue = delivery.nextAt
        }
      }
      return judge(webhooks, pending, delivery.at, health)
    })
  ),
  owed: Effect.fn("WebhookStore.owed")((tenant) =>
    Effect.sync(() => {
      const due = Array.from(records.byId.values()).filter(
        ({ accepted, callbackDue }) =>
          callbackDue !== undefined && (tenant === undefined || accepted.tenantId === tenant)
      )
      const ends = due.flatMap(({ finishedAt }) => (finishedAt === undefined ? [] : [finishedAt]))
      return { deliveries: due.length, since: ends.length === 0 ? undefined : Math.min(...ends) }
    })
  )
})

const deliveries = (
  records: Records,
  webhooks: Webhooks,
  owes: (stored: Stored) => boolean
): Pick<Store, "deliveries" | "redeliver"> => ({
  deliveries: Effect.fn("WebhookStore.deliveries")((tenant, id) =>
    located(records, tenant, id, ({ callbackDue, deliveryLog }) => ({ deliveries: deliveryLog, nextAt: callbackDue }))
  ),
  redeliver: Effect.fn("WebhookStore.redeliver")(function* (tenant, id) {
    const at = yield* Clock.currentTimeMillis
    const stored = yield* located(records, tenant, id, (found) => found)
    if (!isTerminal(stored.status)) return yield* new NotDeliverable({ documentId: id, why: "status" })
    if (!owes(stored)) {
      const why = webhooks.get(tenant)?.url === undefined ? "endpoint" : "disabled"
      return yield* new NotDeliverable({ documentId: id, why })
    }
    // The moment has to differ from that of a try under way, whose record must not settle this one.
    stored.callbackDue = stored.callbackDue === at ? at + 1 : at
    stored.deliveries = 0
  })
})

/** The contract, and whether the end of a document is owed to a receiver. */
export const webhookStoreMemory = (records: Records) => {
  const webhooks: Webhooks = new Map()
  const owes = ({ accepted: { callback, tenantId } }: Stored): boolean => {
    const webhook = webhooks.get(tenantId)
    return callback !== undefined || (webhook?.url !== undefined && webhook.disabled === undefined)
  }
  const store = WebhookStore.of({
    ...endpoints(webhooks),
    ...callbacks(records, webhooks, new CallbackLeases()),
    ...deliveries(records, webhooks, owes)
  })
  return { owes, store }
}
