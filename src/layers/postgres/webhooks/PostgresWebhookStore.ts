/** `WebhookStore` in Postgres. */
import { type Context, Duration, Effect, Option } from "effect"
import { isTerminal } from "../../../domain/document/Document.ts"
import { deliveriesKept, type PendingCallback } from "../../../domain/webhook/Webhook.ts"
import { portionBytes } from "../../../domain/document/Portions.ts"
import { DocumentNotFound, NotDeliverable } from "../../../services/store/StoreErrors.ts"
import { WebhookStore } from "../../../services/store/WebhookStore.ts"
import { toDelivery, toWebhook, webhookColumns } from "../../rows/webhookRows.ts"
import { bool, float8, int4, int8, text as textOf } from "../database/Parameters.ts"
import type { PostgresDatabase, Row } from "../database/PostgresDatabase.ts"
import {
  decodeStatus,
  documentsFrom,
  number,
  optional,
  optionalText,
  placeholders,
  toDocument
} from "../documents/rows.ts"

type Store = Context.Service.Shape<typeof WebhookStore>
type Database = PostgresDatabase["Service"]

const findSql = `SELECT ${webhookColumns} FROM webhooks w WHERE tenant_id = $1`
/** A row that this statement inserted has no transaction that has replaced it. */
const putSql = `
  INSERT INTO webhooks AS w (tenant_id, url, created_at, changed_at, secret, secret_created_at)
  SELECT $1, $2, at.now, at.now, $3, at.now FROM (SELECT store_now() AS now) at
  ON CONFLICT (tenant_id) DO UPDATE SET url = excluded.url, changed_at = greatest(excluded.changed_at, w.changed_at + 1),
    failing_since = NULL, disabled_at = NULL, disabled_reason = NULL
  RETURNING ${webhookColumns}, (xmax = 0) AS created`
const rotateSql = `
  UPDATE webhooks w SET old_secret = secret, old_secret_created_at = secret_created_at, old_secret_expires_at = at.now + $2,
    secret = $3, secret_created_at = at.now FROM (SELECT store_now() AS now) at
  WHERE tenant_id = $1 RETURNING ${webhookColumns}`

const endpoints = ({
  run
}: Database): Pick<Store, "findWebhook" | "putWebhook" | "rotateSecret" | "removeWebhook"> => ({
  findWebhook: Effect.fn("WebhookStore.findWebhook")((tenant) =>
    Effect.map(
      run("find a webhook", (db) => db.get(findSql, tenant)),
      (row) => Option.map(Option.fromUndefinedOr(row), toWebhook)
    )
  ),
  putWebhook: Effect.fn("WebhookStore.putWebhook")((tenant, { sealedSecret, url }) =>
    Effect.map(
      run("set a webhook", (db) => db.get(putSql, tenant, textOf(url), textOf(sealedSecret))),
      (row = {}) => ({ webhook: toWebhook(row), created: row["created"] === true })
    )
  ),
  rotateSecret: Effect.fn("WebhookStore.rotateSecret")((tenant, { overlap, sealedSecret }) =>
    Effect.map(
      run("rotate a secret", (db) => db.get(rotateSql, tenant, int8(Duration.toMillis(overlap)), textOf(sealedSecret))),
      (row) => Option.map(Option.fromUndefinedOr(row), toWebhook)
    )
  ),
  removeWebhook: Effect.fn("WebhookStore.removeWebhook")((tenant) =>
    Effect.map(
      run("remove a webhook", (db) => db.all("DELETE FROM webhooks WHERE tenant_id = $1 RETURNING 1", tenant)),
      (rows) => rows.length > 0
    )
  )
})

const claimSql = `SELECT * FROM claim_callbacks(${placeholders(1, 6)})`
/** The names of the webhook's columns differ from those of the document's. */
const pendingSql = `${documentsFrom("documents", `, ${webhookColumns}`)}
  LEFT JOIN webhooks w ON w.tenant_id = d.tenant_id WHERE d.seq = ANY($1)`
const releaseSql = `
  UPDATE documents SET callback_runner = NULL, callback_leased_until = NULL
  WHERE callback_leased_until IS NOT NULL AND ($1::text IS NULL OR callback_runner = $1)`
const recordSql = `SELECT record_delivery(${placeholders(1, 12)})`
const judgeSql = `SELECT judge_endpoint(${placeholders(1, 6)}) AS disabled`

const toPending = (row: Row, claim: number): PendingCallback => ({
  document: toDocument(row),
  callback: optionalText(row, "callback"),
  webhook: optionalText(row, "secret") === undefined ? undefined : toWebhook(row),
  deliveries: number(row, "callback_deliveries"),
  dueAt: number(row, "callback_next_at"),
  claim
})

const claiming = ({ run, transact }: Database): Pick<Store, "claimCallbacks" | "releaseCallbacks"> => ({
  claimCallbacks: Effect.fn("WebhookStore.claimCallbacks")(({ after, lease, limit, perTenant, runner }) =>
    transact("claim callbacks", (db) =>
      Effect.gen(function* () {
        const claims = yield* db.all(
          claimSql,
          runner,
          int4(limit),
          float8(perTenant),
          int8(Duration.toMillis(lease)),
          textOf(after),
          int8(portionBytes)
        )
        if (claims.length === 0) return []
        const rows = yield* db.all(
          pendingSql,
          claims.map((row) => BigInt(number(row, "document")))
        )
        const bySeq = new Map(rows.map((row) => [number(row, "seq"), row]))
        return claims
          .toSorted((a, b) => number(a, "place") - number(b, "place"))
          .flatMap((claim) => {
            const row = bySeq.get(number(claim, "document"))
            return row === undefined ? [] : [toPending(row, number(claim, "claim"))]
          })
      })
    )
  ),
  releaseCallbacks: Effect.fn("WebhookStore.releaseCallbacks")((runner) =>
    Effect.asVoid(run("release callbacks", (db) => db.all(releaseSql, textOf(runner))))
  )
})

const owedOfTenant = `
  SELECT coalesce((SELECT owed FROM tenant_stats WHERE tenant_id = $1), 0) AS owed,
    (SELECT min(finished_at) FROM documents WHERE tenant_id = $1 AND callback_next_at IS NOT NULL) AS since`
const owedOfAll = `
  SELECT (SELECT sum(owed)::bigint FROM counter_shards) AS owed,
    (SELECT min(finished_at) FROM documents WHERE callback_next_at IS NOT NULL) AS since`

const settling = ({ run, transact }: Database): Pick<Store, "owed" | "recordDelivery"> => ({
  owed: Effect.fn("WebhookStore.owed")((tenant) =>
    Effect.map(
      run("count what is owed", (db) => (tenant === undefined ? db.get(owedOfAll) : db.get(owedOfTenant, tenant))),
      (row = {}) => ({ deliveries: number(row, "owed"), since: optional(row, "since", number) })
    )
  ),
  recordDelivery: Effect.fn("WebhookStore.recordDelivery")(
    ({ claim, deliveries, document, dueAt, webhook }, delivery, health) =>
      transact("record a delivery", (db) =>
        Effect.gen(function* () {
          yield* db.all(
            recordSql,
            document.id,
            int4(claim),
            int4(document.retries),
            int8(dueAt),
            int4(deliveries + 1),
            int8(delivery.at),
            textOf(delivery.endpoint),
            int4(delivery.status),
            textOf(delivery.error),
            float8(delivery.elapsedMillis),
            int8(delivery.nextAt),
            int4(deliveriesKept)
          )
          if (webhook === undefined || health === undefined) return false
          const [tolerance, reason] =
            health === "works" ? [undefined, undefined] : [health.toleranceMillis, health.reason]
          const row = yield* db.get(
            judgeSql,
            document.tenantId,
            int8(webhook.changedAt),
            int8(delivery.at),
            bool(health === "works"),
            float8(tolerance),
            textOf(reason)
          )
          return row?.["disabled"] === true
        })
      )
  )
})

const lockSql = "SELECT 1 FROM documents d, lock_tenant(d.tenant_id) WHERE d.id = $1 AND d.tenant_id = $2"
const redeliverableSql = `
  SELECT seq, status, owes_callback(d) AS owes FROM documents d WHERE id = $1 AND tenant_id = $2 FOR UPDATE`
/** The moment has to differ from that of a try under way, whose record must not settle this one. */
const redeliverSql = `
  UPDATE documents SET callback_deliveries = 0,
    callback_next_at = CASE WHEN callback_next_at = at.now THEN at.now + 1 ELSE at.now END
  FROM (SELECT store_now() AS now) at WHERE seq = $1`

const logging = ({ run, transact }: Database): Pick<Store, "deliveries" | "redeliver"> => ({
  deliveries: Effect.fn("WebhookStore.deliveries")((tenant, id) =>
    run("find deliveries", (db) =>
      Effect.gen(function* () {
        const found = yield* db.get(
          "SELECT seq, callback_next_at FROM documents WHERE id = $1 AND tenant_id = $2",
          id,
          tenant
        )
        if (found === undefined) return yield* new DocumentNotFound({ documentId: id })
        const rows = yield* db.all(
          "SELECT * FROM deliveries WHERE document = $1 ORDER BY number DESC",
          int8(number(found, "seq"))
        )
        return { deliveries: rows.map(toDelivery), nextAt: optional(found, "callback_next_at", number) }
      })
    )
  ),
  redeliver: Effect.fn("WebhookStore.redeliver")((tenant, id) =>
    transact("deliver a document's end again", (db) =>
      Effect.gen(function* () {
        yield* db.all(lockSql, id, tenant)
        const found = yield* db.get(redeliverableSql, id, tenant)
        if (found === undefined) return yield* new DocumentNotFound({ documentId: id })
        if (!isTerminal(decodeStatus(found["status"]))) {
          return yield* new NotDeliverable({ documentId: id, why: "status" })
        }
        if (found["owes"] !== true) {
          const webhook = yield* db.get(findSql, tenant)
          const url = webhook === undefined ? undefined : optionalText(webhook, "url")
          return yield* new NotDeliverable({ documentId: id, why: url === undefined ? "endpoint" : "disabled" })
        }
        yield* db.all(redeliverSql, int8(number(found, "seq")))
      })
    )
  )
})

export const webhookStore = (database: Database) =>
  WebhookStore.of({
    ...endpoints(database),
    ...claiming(database),
    ...settling(database),
    ...logging(database)
  })
