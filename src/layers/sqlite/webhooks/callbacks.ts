/** Callbacks that are owed, and the leases under which they are delivered. */
import { Duration, Exit } from "effect"
import type { RunnerId, TenantId } from "../../../domain/Ids.ts"
import type { PendingCallback } from "../../../domain/webhook/Webhook.ts"
import { portionBytes, upTo } from "../../../domain/document/Portions.ts"
import type { Owed } from "../../../services/store/QueueFigures.ts"
import type { CallbackClaims } from "../../../services/store/WebhookStore.ts"
import type { Operation } from "../database/GroupCommit.ts"
import type { Row, Statements } from "../database/SqliteDatabase.ts"
import { metadataColumns } from "../documents/records.ts"
import { number, optional, optionalText, rowSize, text, toDocument } from "../../rows/documentRows.ts"
import { toWebhook, webhookColumns } from "../../rows/webhookRows.ts"

const owing = "documents INDEXED BY documents_callback_of_tenant WHERE callback_next_at IS NOT NULL"

/** Due at ?1, and held by no runner. */
const claimable = `${owing} AND callback_next_at <= ?1 AND (callback_leased_until IS NULL OR callback_leased_until <= ?1)`

/** How many more callbacks of the tenant may be leased, of the ?2 at a time. */
const places = (tenant: string) => `?2 - (
  SELECT count(*) FROM documents INDEXED BY documents_callback_leased
  WHERE callback_leased_until IS NOT NULL AND tenant_id = ${tenant} AND callback_leased_until > ?1
)`

/** Steps from tenant to tenant, up to the limit: the cost does not depend on how much each is owed. */
const tenantsDue = `
  WITH RECURSIVE tenants (id) AS (
    SELECT min(tenant_id) FROM ${owing} AND tenant_id > ?3
    UNION ALL
    SELECT (SELECT min(tenant_id) FROM ${owing} AND tenant_id > tenants.id) FROM tenants WHERE tenants.id IS NOT NULL
  )
  SELECT id, ${places("tenants.id")} AS places FROM tenants
  WHERE id <= ?4 AND EXISTS (SELECT 1 FROM ${claimable} AND tenant_id = tenants.id) AND ${places("tenants.id")} > 0
  LIMIT ?5
`
/** No tenant's id sorts before the first of these, nor after the second. */
const [lowest, highest] = ["", "~"]

const ofTenant = `SELECT seq FROM ${claimable} AND tenant_id = ?2 ORDER BY callback_next_at, seq LIMIT ?3`

/** The names of the webhook's columns differ from those of the document's. */
const withWebhook = `
  SELECT d.*, ${metadataColumns}, v.warnings, ${webhookColumns} FROM documents d
  LEFT JOIN document_details x ON x.document = d.seq
  LEFT JOIN warnings v ON v.document = d.seq AND v.page = 0
  LEFT JOIN webhooks w ON w.tenant_id = d.tenant_id
  WHERE d.seq = ?
`

const leasedByTenant = `
  SELECT tenant_id, count(*) AS leased FROM documents INDEXED BY documents_callback_leased
  WHERE callback_leased_until IS NOT NULL AND callback_leased_until > ? GROUP BY tenant_id
`

/** What could be claimed: numbers of documents, in turns of their tenants. Another process may claim them first. */
export const findClaimable = (
  db: Statements,
  now: number,
  { after, limit, perTenant }: CallbackClaims
): Array<number> => {
  const due = (from: string, to: string, most: number) =>
    db
      .all(tenantsDue, now, perTenant, from, to, most)
      .map((row) => ({ tenant: text(row, "id"), places: number(row, "places") }))
  const behind = due(after ?? lowest, highest, limit)
  const others = after === undefined ? [] : due(lowest, after, limit - behind.length)
  const own = [...behind, ...others].map(({ places, tenant }) =>
    db.all(ofTenant, now, tenant, Math.min(places, limit)).map((row) => number(row, "seq"))
  )
  const turns = Math.max(0, ...own.map((found) => found.length))
  return Array.from({ length: turns }, (_, turn) => own.flatMap((found) => found.slice(turn, turn + 1)))
    .flat()
    .slice(0, limit)
}

/** Those that can still be claimed, read one by one. */
function* callbackRows(
  db: Statements,
  now: number,
  { perTenant }: CallbackClaims,
  found: ReadonlyArray<number>
): Generator<Row> {
  const leased = new Map(db.all(leasedByTenant, now).map((row) => [text(row, "tenant_id"), number(row, "leased")]))
  const isDue = (row: Row) =>
    (optional(row, "callback_next_at", number) ?? Number.POSITIVE_INFINITY) <= now &&
    (optional(row, "callback_leased_until", number) ?? 0) <= now
  for (const seq of found) {
    const row = db.get(withWebhook, seq)
    if (row === undefined || !isDue(row)) continue
    const tenant = text(row, "tenant_id")
    const held = leased.get(tenant) ?? 0
    if (held >= perTenant) continue
    leased.set(tenant, held + 1)
    yield row
  }
}

/** Claims those that were found, unless another process has claimed them since, or others of their tenants. */
export const claim =
  (
    now: number,
    claims: CallbackClaims,
    found: ReadonlyArray<number>
  ): Operation<ReadonlyArray<PendingCallback>, never> =>
  (db) => {
    const rows = upTo(callbackRows(db, now, claims, found), portionBytes, rowSize)
    return Exit.succeed(
      rows.map((row) => {
        db.run(
          "UPDATE documents SET callback_runner = ?, callback_leased_until = ?, callback_claims = ? WHERE seq = ?",
          claims.runner,
          now + Duration.toMillis(claims.lease),
          number(row, "callback_claims") + 1,
          number(row, "seq")
        )
        return {
          document: toDocument(row),
          callback: optionalText(row, "callback"),
          webhook: optionalText(row, "secret") === undefined ? undefined : toWebhook(row),
          deliveries: number(row, "callback_deliveries"),
          dueAt: number(row, "callback_next_at"),
          claim: number(row, "callback_claims") + 1
        }
      })
    )
  }

export const release =
  (runner: RunnerId | undefined): Operation<void, never> =>
  (db) => {
    db.run(
      `UPDATE documents SET callback_runner = NULL, callback_leased_until = NULL
      WHERE callback_leased_until IS NOT NULL AND (? IS NULL OR callback_runner = ?)`,
      runner ?? null,
      runner ?? null
    )
    return Exit.void
  }

/** Both figures come from indexes, so the cost does not depend on how much is owed. */
export const owed = (db: Statements, tenant: TenantId | undefined): Owed => {
  const count = db.get("SELECT owed FROM tenant_stats WHERE tenant_id = ?", tenant ?? "*")
  const oldest =
    tenant === undefined
      ? db.get(
          "SELECT min(finished_at) AS since FROM documents INDEXED BY documents_owed WHERE callback_next_at IS NOT NULL"
        )
      : db.get(
          `SELECT min(finished_at) AS since FROM documents INDEXED BY documents_owed_of_tenant
            WHERE callback_next_at IS NOT NULL AND tenant_id = ?`,
          tenant
        )
  return {
    deliveries: count === undefined ? 0 : number(count, "owed"),
    since: oldest === undefined ? undefined : optional(oldest, "since", number)
  }
}
