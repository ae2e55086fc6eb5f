/** The log of deliveries, and what a delivery settles. */
import { Exit } from "effect"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import {
  deliveriesKept,
  type Delivery,
  type DeliveryLog,
  type DeliveryRecord,
  type EndpointHealth,
  type PendingCallback
} from "../../../domain/webhook/Webhook.ts"
import { DocumentNotFound, NotDeliverable } from "../../../services/store/StoreErrors.ts"
import type { Operation } from "../database/GroupCommit.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { owesCallback } from "../documents/queue.ts"
import { decodeStatus, number, optional } from "../../rows/documentRows.ts"
import { toDelivery } from "../../rows/webhookRows.ts"
import { find, judge } from "./endpoints.ts"

/** Adds to a log whose last entry has this number. */
const log = (db: Statements, seq: number, last: number, attempt: number, delivery: Omit<Delivery, "attempt">) => {
  const place = last + 1
  db.run(
    `INSERT INTO deliveries (document, number, at, attempt, endpoint, status, error, elapsed_millis, next_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    seq,
    place,
    delivery.at,
    attempt,
    delivery.endpoint,
    delivery.status ?? null,
    delivery.error ?? null,
    delivery.elapsedMillis,
    delivery.nextAt ?? null
  )
  if (place > deliveriesKept)
    db.run("DELETE FROM deliveries WHERE document = ? AND number <= ?", seq, place - deliveriesKept)
}

const withLastEntry = `
  SELECT seq, (SELECT max(number) FROM deliveries WHERE document = documents.seq) AS last FROM documents WHERE id = ?
`

/** Ends the lease. Settles what was owed, unless it is no longer the same: a retry or a redelivery came in between. */
const settle = `
  UPDATE documents SET callback_runner = NULL, callback_leased_until = NULL,
    callback_next_at = iif(retries = ?1 AND callback_next_at = ?2, ?3, callback_next_at),
    callback_deliveries = callback_deliveries + iif(retries = ?1 AND callback_next_at = ?2, 1, 0)
  WHERE seq = ?4 AND callback_claims = ?5
`

export const record =
  (
    { claim, deliveries, document, dueAt, webhook }: PendingCallback,
    delivery: DeliveryRecord,
    health: EndpointHealth | undefined
  ): Operation<boolean, never> =>
  (db) => {
    const found = db.get(withLastEntry, document.id)
    if (found !== undefined) {
      const seq = number(found, "seq")
      log(db, seq, optional(found, "last", number) ?? 0, deliveries + 1, delivery)
      db.run(settle, document.retries, dueAt, delivery.nextAt ?? null, seq, claim)
    }
    if (webhook === undefined || health === undefined) return Exit.succeed(false)
    return Exit.succeed(judge(db, document.tenantId, webhook.changedAt, delivery.at, health))
  }

export const deliveriesOf = (db: Statements, tenant: TenantId, id: DocumentId): DeliveryLog | undefined => {
  const found = db.get("SELECT seq, callback_next_at FROM documents WHERE id = ? AND tenant_id = ?", id, tenant)
  return found === undefined
    ? undefined
    : {
        deliveries: db
          .all("SELECT * FROM deliveries WHERE document = ? ORDER BY number DESC", number(found, "seq"))
          .map(toDelivery),
        nextAt: optional(found, "callback_next_at", number)
      }
}

export const redeliver =
  (tenant: TenantId, id: DocumentId, at: number): Operation<void, DocumentNotFound | NotDeliverable> =>
  (db) => {
    const found = db.get(
      `SELECT seq, status, ${owesCallback} AS owes FROM documents WHERE id = ? AND tenant_id = ?`,
      id,
      tenant
    )
    if (found === undefined) return Exit.fail(new DocumentNotFound({ documentId: id }))
    if (!isTerminal(decodeStatus(found["status"]))) {
      return Exit.fail(new NotDeliverable({ documentId: id, why: "status" }))
    }
    if (number(found, "owes") === 0) {
      const why = find(db, tenant)?.url === undefined ? "endpoint" : "disabled"
      return Exit.fail(new NotDeliverable({ documentId: id, why }))
    }
    // The moment has to differ from that of a try under way, whose record must not settle this one.
    db.run(
      `UPDATE documents SET callback_next_at = iif(callback_next_at = ?, ? + 1, ?), callback_deliveries = 0 WHERE seq = ?`,
      at,
      at,
      at,
      number(found, "seq")
    )
    return Exit.void
  }
