/** `IdempotencyStore` in Postgres. */
import { Duration, Effect, Option } from "effect"
import { IdempotencyStore, type KeptAnswer, type KeyReservation } from "../../../services/store/IdempotencyStore.ts"
import { int8, int8s, text as textOf } from "../database/Parameters.ts"
import type { PostgresDatabase, Row } from "../database/PostgresDatabase.ts"
import { number, text } from "./rows.ts"

const toAnswer = (row: Row): KeptAnswer => ({
  fingerprint: text(row, "fingerprint"),
  bytes: number(row, "bytes"),
  body: text(row, "body"),
  keptAt: number(row, "kept_at")
})

const reserveSql = "SELECT * FROM reserve_key($1, $2, $3)"
const renewSql = "UPDATE idempotency_leases SET expires_at = store_now() + $2::bigint WHERE id = ANY($1)"
const keepSql = "SELECT keep_answer($1, $2, $3, $4, $5, $6, $7) AS kept"
const findSql = "SELECT * FROM idempotency_keys WHERE tenant_id = $1 AND key = $2"
const forgetSql = `
  DELETE FROM idempotency_keys WHERE (tenant_id, key) IN (
    SELECT tenant_id, key FROM idempotency_keys WHERE kept_at < $1 ORDER BY kept_at LIMIT $2
  ) RETURNING 1`

export const idempotency = ({ run }: PostgresDatabase["Service"]) =>
  IdempotencyStore.of({
    reserve: Effect.fn("IdempotencyStore.reserve")((tenant, key, lease) =>
      Effect.map(
        run("reserve a key", (db) => db.get(reserveSql, tenant, key, int8(Duration.toMillis(lease)))),
        (row): KeyReservation =>
          row === undefined
            ? { _tag: "InUse" }
            : {
                _tag: "Reserved",
                lease: { id: String(number(row, "lease")), tenant, key },
                answer: row["fingerprint"] === null ? Option.none() : Option.some(toAnswer(row))
              }
      )
    ),
    renew: Effect.fn("IdempotencyStore.renew")((leases, lease) =>
      Effect.asVoid(
        run("renew keys", (db) =>
          db.all(renewSql, int8s(leases.map(({ id }) => Number(id))), int8(Duration.toMillis(lease)))
        )
      )
    ),
    keep: Effect.fn("IdempotencyStore.keep")(({ id, key, tenant }, { body, bytes, fingerprint, keptAt }) =>
      Effect.map(
        run("keep an answer", (db) =>
          db.get(keepSql, int8(Number(id)), tenant, key, textOf(fingerprint), int8(bytes), textOf(body), int8(keptAt))
        ),
        (row) => row?.["kept"] === true
      )
    ),
    release: Effect.fn("IdempotencyStore.release")(({ id }) =>
      Effect.asVoid(
        run("release a key", (db) => db.all("DELETE FROM idempotency_leases WHERE id = $1", int8(Number(id))))
      )
    ),
    find: Effect.fn("IdempotencyStore.find")((tenant, key) =>
      Effect.map(
        run("find a kept answer", (db) => db.get(findSql, tenant, key)),
        (row) => Option.map(Option.fromUndefinedOr(row), toAnswer)
      )
    ),
    forget: Effect.fn("IdempotencyStore.forget")((keptBefore, limit) =>
      run("forget kept answers", (db) =>
        Effect.andThen(
          db.all("DELETE FROM idempotency_leases WHERE expires_at <= store_now()"),
          Effect.map(db.all(forgetSql, int8(keptBefore), int8(limit)), (rows) => rows.length)
        )
      )
    )
  })
