/** Webhooks of tenants and the log of their deliveries, in the database of the documents. */
import { type Context, Effect, Exit, Option } from "effect"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import {
  deliveriesKept,
  type Delivery,
  type DeliveryLog,
  type DeliveryRecord,
  type EndpointHealth,
  type PendingCallback,
  type Webhook
} from "../../../domain/webhook/Webhook.ts"
import type { DocumentStore } from "../../../services/store/DocumentStore.ts"
import type { Owed } from "../../../services/store/QueueFigures.ts"
import { DocumentNotFound, NotDeliverable, type StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import type { Operation, Write } from "../database/GroupCommit.ts"
import { portionBytes, upTo } from "../../../services/store/Portions.ts"
import { metadataColumns } from "./records.ts"
import { decodeStatus, number, optional, optionalText, rowSize, text, toDocument } from "./rows.ts"
import type { Row, Statements } from "../database/SqliteDatabase.ts"
import { owesCallback } from "./queue.ts"

type Store = Context.Service.Shape<typeof DocumentStore>

const webhookColumns = `w.url, w.created_at, w.changed_at, w.secret, w.secret_created_at, w.old_secret, w.old_secret_created_at,
  w.old_secret_expires_at, w.failing_since, w.disabled_at, w.disabled_reason`

const toWebhook = (row: Row): Webhook => {
  const old = optionalText(row, "old_secret")
  const disabledAt = optional(row, "disabled_at", number)
  return {
    url: optionalText(row, "url"),
    secrets: [
      { sealed: text(row, "secret"), createdAt: number(row, "secret_created_at"), expiresAt: undefined },
      ...(old === undefined
        ? []
        : [
            {
              sealed: old,
              createdAt: number(row, "old_secret_created_at"),
              expiresAt: number(row, "old_secret_expires_at")
            }
          ])
    ],
    createdAt: number(row, "created_at"),
    changedAt: number(row, "changed_at"),
    failingSince: optional(row, "failing_since", number),
    disabled: disabledAt === undefined ? undefined : { at: disabledAt, reason: text(row, "disabled_reason") }
  }
}

const find = (db: Statements, tenant: TenantId): Webhook | undefined => {
  const row = db.get(`SELECT ${webhookColumns} FROM webhooks w WHERE tenant_id = ?`, tenant)
  return row === undefined ? undefined : toWebhook(row)
}

const put =
  (
    tenant: TenantId,
    { at, sealedSecret, url }: Parameters<Store["putWebhook"]>[1]
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

const rotate =
  (
    tenant: TenantId,
    { at, expiresAt, sealedSecret }: Parameters<Store["rotateSecret"]>[1]
  ): Operation<Option.Option<Webhook>, never> =>
  (db) => {
    db.run(
      `UPDATE webhooks SET old_secret = secret, old_secret_created_at = secret_created_at, old_secret_expires_at = ?,
        secret = ?, secret_created_at = ? WHERE tenant_id = ?`,
      expiresAt,
      sealedSecret,
      at,
      tenant
    )
    return Exit.succeed(Option.fromUndefinedOr(find(db, tenant)))
  }

const remove =
  (tenant: TenantId): Operation<boolean, never> =>
  (db) =>
    Exit.succeed(db.run("DELETE FROM webhooks WHERE tenant_id = ?", tenant) > 0)

const owing = "documents INDEXED BY documents_callback_of_tenant WHERE callback_next_at IS NOT NULL"

/** Steps from tenant to tenant, up to the limit: the cost does not depend on how much each is owed. */
const tenantsDue = `
  WITH RECURSIVE tenants (id) AS (
    SELECT min(tenant_id) FROM ${owing} AND tenant_id > ?
    UNION ALL
    SELECT (SELECT min(tenant_id) FROM ${owing} AND tenant_id > tenants.id) FROM tenants WHERE tenants.id IS NOT NULL
  )
  SELECT id FROM tenants
  WHERE id <= ? AND EXISTS (SELECT 1 FROM ${owing} AND tenant_id = tenants.id AND callback_next_at <= ?)
  LIMIT ?
`
/** No tenant's id sorts before the first of these, nor after the second. */
const [lowest, highest] = ["", "~"]

const ofTenant = `
  SELECT seq FROM ${owing} AND tenant_id = ? AND callback_next_at <= ? ORDER BY callback_next_at, seq LIMIT ?
`

/** The names of the webhook's columns differ from those of the document's. */
const withWebhook = `
  SELECT d.*, ${metadataColumns}, v.warnings, ${webhookColumns} FROM documents d
  LEFT JOIN document_details x ON x.document = d.seq
  LEFT JOIN warnings v ON v.document = d.seq AND v.page = 0
  LEFT JOIN webhooks w ON w.tenant_id = d.tenant_id
  WHERE d.seq = ?
`

/** The first ends owed to each tenant, until there are enough or no more. */
const dueOf = (db: Statements, tenants: ReadonlyArray<string>, now: number, limit: number) => {
  const read = (tenant: string, most: number) => ({
    tenant,
    most,
    found: db.all(ofTenant, tenant, now, most).map((row) => number(row, "seq"))
  })
  let owed = tenants.map((tenant) => read(tenant, Math.ceil(limit / tenants.length)))
  for (;;) {
    const enough = owed.reduce((sum, { found }) => sum + found.length, 0) >= limit
    if (enough || owed.every(({ found, most }) => found.length < most)) return owed.map(({ found }) => found)
    owed = owed.map((own) => (own.found.length < own.most ? own : read(own.tenant, own.most * 2)))
  }
}

/** Read one by one. */
function* callbackRows(db: Statements, documents: ReadonlyArray<number>): Generator<Row> {
  for (const seq of documents) yield* db.all(withWebhook, seq)
}

const pending = (db: Statements, now: number, limit: number, after: TenantId | undefined): Array<PendingCallback> => {
  const due = (from: string, to: string, most: number) =>
    db.all(tenantsDue, from, to, now, most).map((row) => text(row, "id"))
  const behind = due(after ?? lowest, highest, limit)
  const others = after === undefined ? [] : due(lowest, after, limit - behind.length)
  const owed = dueOf(db, [...behind, ...others], now, limit)
  const turns = Math.max(0, ...owed.map((own) => own.length))
  const inTurns = Array.from({ length: turns }, (_, turn) => owed.flatMap((own) => own.slice(turn, turn + 1)))
    .flat()
    .slice(0, limit)
  return upTo(callbackRows(db, inTurns), portionBytes, rowSize).map((row) => ({
    document: toDocument(row),
    callback: optionalText(row, "callback"),
    webhook: optionalText(row, "secret") === undefined ? undefined : toWebhook(row),
    deliveries: number(row, "callback_deliveries"),
    dueAt: number(row, "callback_next_at")
  }))
}

const log = (db: Statements, seq: number, attempt: number, delivery: Omit<Delivery, "attempt">) => {
  const last = db.get("SELECT max(number) AS number FROM deliveries WHERE document = ?", seq)
  const place = (last === undefined ? 0 : (optional(last, "number", number) ?? 0)) + 1
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
  db.run("DELETE FROM deliveries WHERE document = ? AND number <= ?", seq, place - deliveriesKept)
}

/** Updates the endpoint's health, unless its URL was changed since. Answers whether this disabled the endpoint. */
const judge = (db: Statements, tenant: TenantId, changedAt: number, at: number, health: EndpointHealth): boolean => {
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

const record =
  (
    { deliveries, document, dueAt, webhook }: PendingCallback,
    delivery: DeliveryRecord,
    health: EndpointHealth | undefined
  ): Operation<boolean, never> =>
  (db) => {
    const found = db.get("SELECT seq FROM documents WHERE id = ?", document.id)
    if (found !== undefined) {
      const seq = number(found, "seq")
      log(db, seq, deliveries + 1, delivery)
      db.run(
        `UPDATE documents SET callback_next_at = ?, callback_deliveries = callback_deliveries + 1
        WHERE seq = ? AND retries = ? AND callback_next_at = ?`,
        delivery.nextAt ?? null,
        seq,
        document.retries,
        dueAt
      )
    }
    if (webhook === undefined || health === undefined) return Exit.succeed(false)
    return Exit.succeed(judge(db, document.tenantId, webhook.changedAt, delivery.at, health))
  }

const toDelivery = (row: Row): Delivery => ({
  at: number(row, "at"),
  attempt: number(row, "attempt"),
  endpoint: text(row, "endpoint"),
  status: optional(row, "status", number),
  error: optionalText(row, "error"),
  elapsedMillis: number(row, "elapsed_millis"),
  nextAt: optional(row, "next_at", number)
})

const deliveriesOf = (db: Statements, tenant: TenantId, id: DocumentId): DeliveryLog | undefined => {
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

/** Both figures come from indexes, so the cost does not depend on how much is owed. */
const owed = (db: Statements, tenant: TenantId | undefined): Owed => {
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

const redeliver =
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

type Read = <A>(operation: string, question: (db: Statements) => A) => Effect.Effect<A, StoreUnavailable>

/** This part of the store, over the connection and the commits of the whole. */
export const webhookRecords = (read: Read, write: Write) =>
  ({
    findWebhook: Effect.fn("DocumentStore.findWebhook")((tenant) =>
      Effect.map(
        read("find a webhook", (db) => find(db, tenant)),
        Option.fromUndefinedOr
      )
    ),
    putWebhook: Effect.fn("DocumentStore.putWebhook")((tenant, webhook) =>
      write("set a webhook", put(tenant, webhook))
    ),
    rotateSecret: Effect.fn("DocumentStore.rotateSecret")((tenant, rotation) =>
      write("rotate a webhook's secret", rotate(tenant, rotation))
    ),
    removeWebhook: Effect.fn("DocumentStore.removeWebhook")((tenant) => write("remove a webhook", remove(tenant))),
    pendingCallbacks: Effect.fn("DocumentStore.pendingCallbacks")(function* (now, limit, after) {
      const found = yield* read("find callbacks owed", (db) => pending(db, now, Math.min(limit, 1), after))
      // A delivery reports only what is on the disk: a flush stands between the query and the answer.
      return found.length === 0
        ? found
        : yield* write("find callbacks owed", (db) => Exit.succeed(pending(db, now, limit, after)))
    }),
    owed: Effect.fn("DocumentStore.owed")((tenant) => read("count what is owed", (db) => owed(db, tenant))),
    recordDelivery: Effect.fn("DocumentStore.recordDelivery")((owed, delivery, health) =>
      write("record a delivery", record(owed, delivery, health))
    ),
    deliveries: Effect.fn("DocumentStore.deliveries")(function* (tenant, id) {
      const found = yield* read("find deliveries", (db) => deliveriesOf(db, tenant, id))
      return found ?? (yield* new DocumentNotFound({ documentId: id }))
    }),
    redeliver: Effect.fn("DocumentStore.redeliver")((tenant, id, at) =>
      write("deliver a document's end again", redeliver(tenant, id, at))
    )
  }) satisfies Partial<Store>
