/** Idempotency keys in use and answers under them, as operations of a group commit. */
import { Clock, Duration, Effect, Exit, Option } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import {
  IdempotencyStore,
  type KeptAnswer,
  type KeyLease,
  type KeyReservation
} from "../../../services/store/IdempotencyStore.ts"
import type { Operation, Write } from "../database/GroupCommit.ts"
import type { Read } from "../database/Read.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { number, text } from "../../rows/documentRows.ts"

const find = (db: Statements, tenant: TenantId, key: string): Option.Option<KeptAnswer> => {
  const row = db.get("SELECT * FROM idempotency_keys WHERE tenant_id = ? AND key = ?", tenant, key)
  return Option.map(Option.fromUndefinedOr(row), (kept) => ({
    fingerprint: text(kept, "fingerprint"),
    bytes: number(kept, "bytes"),
    body: text(kept, "body"),
    keptAt: number(kept, "kept_at")
  }))
}

/** The lease gets a new id, also if an old one of the same key had run out. */
const reserve =
  (tenant: TenantId, key: string, now: number, millis: number): Operation<KeyReservation, never> =>
  (db) => {
    db.run("DELETE FROM idempotency_leases WHERE tenant_id = ? AND key = ? AND expires_at <= ?", tenant, key, now)
    const row = db.get(
      "INSERT INTO idempotency_leases (tenant_id, key, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
      tenant,
      key,
      now + millis
    )
    if (row === undefined) return Exit.succeed({ _tag: "InUse" })
    const lease = { id: String(number(row, "id")), tenant, key }
    return Exit.succeed({ _tag: "Reserved", lease, answer: find(db, tenant, key) })
  }

const renew =
  (leases: ReadonlyArray<KeyLease>, until: number): Operation<void, never> =>
  (db) => {
    for (const { id } of leases) db.run("UPDATE idempotency_leases SET expires_at = ? WHERE id = ?", until, Number(id))
    return Exit.void
  }

const release =
  ({ id }: KeyLease): Operation<void, never> =>
  (db) => {
    db.run("DELETE FROM idempotency_leases WHERE id = ?", Number(id))
    return Exit.void
  }

const keep =
  ({ id, key, tenant }: KeyLease, { body, bytes, fingerprint, keptAt }: KeptAnswer): Operation<boolean, never> =>
  (db) => {
    if (db.run("DELETE FROM idempotency_leases WHERE id = ?", Number(id)) === 0) return Exit.succeed(false)
    db.run(
      "INSERT OR REPLACE INTO idempotency_keys (tenant_id, key, fingerprint, bytes, body, kept_at) VALUES (?, ?, ?, ?, ?, ?)",
      tenant,
      key,
      fingerprint,
      bytes,
      body,
      keptAt
    )
    return Exit.succeed(true)
  }

/** Frees the keys whose lease has run out by then. */
export const forgetLeases = (db: Statements, now: number): void => {
  db.run("DELETE FROM idempotency_leases WHERE expires_at <= ?", now)
}

const forget =
  (keptBefore: number, limit: number, now: number): Operation<number, never> =>
  (db) => {
    forgetLeases(db, now)
    return Exit.succeed(
      db.run(
        `DELETE FROM idempotency_keys WHERE rowid IN
          (SELECT rowid FROM idempotency_keys WHERE kept_at < ? ORDER BY kept_at LIMIT ?)`,
        keptBefore,
        limit
      )
    )
  }

/** Leases are deferred: a crash of the machine that loses one ends its request, too. */
export const idempotency = (read: Read, write: Write) => {
  const now = Clock.currentTimeMillis
  return IdempotencyStore.of({
    reserve: Effect.fn("IdempotencyStore.reserve")((tenant, key, lease) =>
      Effect.flatMap(now, (at) =>
        write("reserve a key", reserve(tenant, key, at, Duration.toMillis(lease)), "deferred")
      )
    ),
    renew: Effect.fn("IdempotencyStore.renew")((leases, lease) =>
      Effect.flatMap(now, (at) => write("renew keys", renew(leases, at + Duration.toMillis(lease)), "deferred"))
    ),
    keep: Effect.fn("IdempotencyStore.keep")((lease, answer) => write("keep an answer", keep(lease, answer))),
    release: Effect.fn("IdempotencyStore.release")((lease) => write("release a key", release(lease), "deferred")),
    find: Effect.fn("IdempotencyStore.find")((tenant, key) =>
      read("find a kept answer", (db) => find(db, tenant, key))
    ),
    forget: Effect.fn("IdempotencyStore.forget")((keptBefore, limit) =>
      Effect.flatMap(now, (at) => write("forget kept answers", forget(keptBefore, limit, at)))
    )
  })
}
