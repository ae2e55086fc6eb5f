/** Webhooks of tenants and the log of their deliveries, of the document store in memory. */
import { type Context, Effect, Option } from "effect"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import {
  deliveriesKept,
  type EndpointHealth,
  type PendingCallback,
  type Webhook
} from "../../../domain/webhook/Webhook.ts"
import type { DocumentStore } from "../DocumentStore.ts"
import { DocumentNotFound, NotDeliverable } from "../StoreErrors.ts"
import { documentSize, portionBytes, upTo } from "../Portions.ts"
import { type Records, type Stored, toDocument } from "./Records.ts"

type WebhookMethods = Pick<
  Context.Service.Shape<typeof DocumentStore>,
  | "findWebhook"
  | "putWebhook"
  | "rotateSecret"
  | "removeWebhook"
  | "owed"
  | "pendingCallbacks"
  | "recordDelivery"
  | "deliveries"
  | "redeliver"
>

interface Owed {
  readonly stored: Stored
  readonly dueAt: number
}

/** By tenant, those after `after` before the others; oldest first within each tenant. */
const byTenant = (owed: ReadonlyArray<Owed>, after: TenantId | undefined): ReadonlyArray<ReadonlyArray<Owed>> => {
  const tenants = Array.from(Map.groupBy(owed, ({ stored }) => stored.accepted.tenantId)).toSorted(([a], [b]) =>
    a < b ? -1 : 1
  )
  const behind = tenants.filter(([tenant]) => after === undefined || tenant > after)
  return [...behind, ...tenants.slice(0, tenants.length - behind.length)].map(([, own]) => own)
}

/** The first of each tenant, then the second of each, and so on. */
const inTurns = (tenants: ReadonlyArray<ReadonlyArray<Owed>>): ReadonlyArray<Owed> =>
  tenants
    .flatMap((own) => own.map((one, turn) => ({ one, turn })))
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ one }) => one)

export const webhooksMemory = (documents: Records) => {
  const webhooks = new Map<TenantId, Webhook>()

  const owes = ({ accepted: { callback, tenantId } }: Stored): boolean => {
    const webhook = webhooks.get(tenantId)
    return callback !== undefined || (webhook?.url !== undefined && webhook.disabled === undefined)
  }

  const located = (tenant: TenantId, id: DocumentId) =>
    Effect.suspend(() => {
      const stored = documents.byId.get(id)
      return stored?.accepted.tenantId === tenant
        ? Effect.succeed(stored)
        : Effect.fail(new DocumentNotFound({ documentId: id }))
    })

  const judge = (
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

  const records: WebhookMethods = {
    findWebhook: Effect.fn("DocumentStore.findWebhook")((tenant) =>
      Effect.sync(() => Option.fromUndefinedOr(webhooks.get(tenant)))
    ),
    putWebhook: Effect.fn("DocumentStore.putWebhook")((tenant, { at, sealedSecret, url }) =>
      Effect.sync(() => {
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
    rotateSecret: Effect.fn("DocumentStore.rotateSecret")((tenant, { at, expiresAt, sealedSecret }) =>
      Effect.sync(() =>
        Option.map(Option.fromUndefinedOr(webhooks.get(tenant)), (before) => {
          const secrets = [
            { sealed: sealedSecret, createdAt: at, expiresAt: undefined },
            ...before.secrets.slice(0, 1).map((secret) => ({ ...secret, expiresAt }))
          ]
          const webhook = { ...before, secrets }
          webhooks.set(tenant, webhook)
          return webhook
        })
      )
    ),
    removeWebhook: Effect.fn("DocumentStore.removeWebhook")((tenant) => Effect.sync(() => webhooks.delete(tenant))),
    pendingCallbacks: Effect.fn("DocumentStore.pendingCallbacks")((now, limit, after) =>
      Effect.sync(() => {
        const owed = Array.from(documents.byId.values())
          .flatMap((stored) =>
            stored.callbackDue === undefined || stored.callbackDue > now ? [] : [{ stored, dueAt: stored.callbackDue }]
          )
          .toSorted((a, b) => a.dueAt - b.dueAt)
        const found = inTurns(byTenant(owed, after))
          .slice(0, limit)
          .map(({ dueAt, stored }) => ({
            document: toDocument(stored),
            callback: stored.accepted.callback,
            webhook: webhooks.get(stored.accepted.tenantId),
            deliveries: stored.deliveries,
            dueAt
          }))
        return upTo(found, portionBytes, ({ document }) => documentSize(document))
      })
    ),
    owed: Effect.fn("DocumentStore.owed")((tenant) =>
      Effect.sync(() => {
        const due = Array.from(documents.byId.values()).filter(
          ({ accepted, callbackDue }) =>
            callbackDue !== undefined && (tenant === undefined || accepted.tenantId === tenant)
        )
        const ends = due.flatMap(({ finishedAt }) => (finishedAt === undefined ? [] : [finishedAt]))
        return { deliveries: due.length, since: ends.length === 0 ? undefined : Math.min(...ends) }
      })
    ),
    recordDelivery: Effect.fn("DocumentStore.recordDelivery")((pending, delivery, health) =>
      Effect.sync(() => {
        const stored = documents.byId.get(pending.document.id)
        if (stored !== undefined) {
          const entry = { ...delivery, attempt: pending.deliveries + 1 }
          stored.deliveryLog = [entry, ...stored.deliveryLog].slice(0, deliveriesKept)
          if (stored.callbackDue === pending.dueAt && stored.retries === pending.document.retries) {
            stored.deliveries++
            stored.callbackDue = delivery.nextAt
          }
        }
        return judge(pending, delivery.at, health)
      })
    ),
    deliveries: Effect.fn("DocumentStore.deliveries")((tenant, id) =>
      Effect.map(located(tenant, id), ({ callbackDue, deliveryLog }) => ({
        deliveries: deliveryLog,
        nextAt: callbackDue
      }))
    ),
    redeliver: Effect.fn("DocumentStore.redeliver")(function* (tenant, id, at) {
      const stored = yield* located(tenant, id)
      if (!isTerminal(stored.status)) return yield* new NotDeliverable({ documentId: id, why: "status" })
      if (!owes(stored)) {
        const why = webhooks.get(tenant)?.url === undefined ? "endpoint" : "disabled"
        return yield* new NotDeliverable({ documentId: id, why })
      }
      // The moment has to differ from that of a try under way, whose record must not settle this one.
      stored.callbackDue = stored.callbackDue === at ? at + 1 : at
      stored.deliveries = 0
    })
  }
  return { owes, records }
}
