/** The endpoints of tenants with their secrets, and their health. */
import { Duration, Exit, Option } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import type { EndpointHealth, Webhook } from "../../../domain/webhook/Webhook.ts"
import type { WebhookStore } from "../../../services/store/WebhookStore.ts"
import type { Operation } from "../database/GroupCommit.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { toWebhook, webhookColumns } from "../../rows/webhookRows.ts"

type Store = WebhookStore["Service"]

export const find = (db: Statements, tenant: TenantId): Webhook | undefined => {
  const row = db.get(`SELECT ${webhookColumns} FROM webhooks w WHERE tenant_id = ?`, tenant)
  return row === undefined ? undefined : toWebhook(row)
}

export const put =
  (
    tenant: TenantId,
    { sealedSecret, url }: Parameters<Store["putWebhook"]>[1],
    at: number
  ): Operation<{ readonly webhook: Webhook; readonly created: boolean }, never> =>
  (db) => {
    const created = find(db, tenant) === undefined
    db.run(
      `INSERT INTO webhooks (tenant_id, url, created_at, changed_at, secret, secret_created_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET url = excluded.url, changed_at = max(excluded.changed_at, changed_at + 1),
        failing_since = NULL, disabled_at = NULL, disabled_reason = NULL`,
      tenant,
      url ?? null,
      at,
      at,
      sealedSecret,
      at
    )
    const webhook = find(db, tenant)
    return webhook === undefined ? Exit.die("a webhook vanished") : Exit.succeed({ webhook, created })
  }

export const rotate =
  (
    tenant: TenantId,
    { overlap, sealedSecret }: Parameters<Store["rotateSecret"]>[1],
    at: number
  ): Operation<Option.Option<Webhook>, never> =>
  (db) => {
    db.run(
      `UPDATE webhooks SET old_secret = secret, old_secret_created_at = secret_created_at, old_secret_expires_at = ?,
        secret = ?, secret_created_at = ? WHERE tenant_id = ?`,
      at + Duration.toMillis(overlap),
      sealedSecret,
      at,
      tenant
    )
    return Exit.succeed(Option.fromUndefinedOr(find(db, tenant)))
  }

export const remove =
  (tenant: TenantId): Operation<boolean, never> =>
  (db) =>
    Exit.succeed(db.run("DELETE FROM webhooks WHERE tenant_id = ?", tenant) > 0)

/** Updates the endpoint's health, unless its URL was changed since. Answers whether this disabled the endpoint. */
export const judge = (
  db: Statements,
  tenant: TenantId,
  changedAt: number,
  at: number,
  health: EndpointHealth
): boolean => {
  const known = "tenant_id = ? AND changed_at = ? AND disabled_at IS NULL"
  if (health === "works") {
    db.run(`UPDATE webhooks SET failing_since = NULL WHERE ${known} AND failing_since IS NOT NULL`, tenant, changedAt)
    return false
  }
  db.run(`UPDATE webhooks SET failing_since = ? WHERE ${known} AND failing_since IS NULL`, at, tenant, changedAt)
  return (
    db.run(
      `UPDATE webhooks SET disabled_at = ?, disabled_reason = ? WHERE ${known} AND failing_since <= ?`,
      at,
      health.reason,
      tenant,
      changedAt,
      at - health.toleranceMillis
    ) > 0
  )
}
