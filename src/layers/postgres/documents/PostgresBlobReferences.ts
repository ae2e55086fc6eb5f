/** `BlobReferences` in Postgres. Both sides take a lock of the blob first, so that neither overlooks the other. */
import { Duration, Effect, Option } from "effect"
import { BlobReferences, removalLease, untilReserved } from "../../../services/store/BlobReferences.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import { int8 } from "../database/Parameters.ts"
import type { PostgresDatabase } from "../database/PostgresDatabase.ts"
import { number, optional } from "./rows.ts"

/** Makes the blob known if it was reserved. The lock of the blob is taken first, by the function. */
const reserveSql = `
  WITH made AS (SELECT reserve_blob($1, $2) AS id), known AS (
    INSERT INTO known_blobs (hash) SELECT $1 FROM made WHERE id IS NOT NULL ON CONFLICT DO NOTHING
  )
  SELECT id FROM made
`
const claimSql = "SELECT * FROM claim_removal($1, $2)"
const referredByAny = `
  SELECT 1 WHERE EXISTS (SELECT 1 FROM documents WHERE blob = $1) OR EXISTS (SELECT 1 FROM artifacts WHERE blob = $1)`
const referredByTenant = "SELECT 1 FROM documents WHERE blob = $1 AND tenant_id = $2 LIMIT 1"
const forgetSql = (table: string) => `DELETE FROM ${table} WHERE expires_at <= store_now()`

export const blobReferences = ({ run }: PostgresDatabase["Service"]) =>
  BlobReferences.of({
    reserve: TraceContext.traced("BlobReferences.reserve", (hash, expiry) =>
      untilReserved(
        Effect.map(
          run("reserve a blob", (db) => db.get(reserveSql, hash, int8(Duration.toMillis(expiry)))),
          (row = {}) =>
            Option.map(Option.fromUndefinedOr(optional(row, "id", number)), (id) => ({ id: String(id), hash }))
        )
      )
    ),
    release: Effect.fn("BlobReferences.release")(({ id }) =>
      Effect.asVoid(
        run("release a blob", (db) => db.all("DELETE FROM blob_references WHERE id = $1", int8(Number(id))))
      )
    ),
    refersTo: Effect.fn("BlobReferences.refersTo")((hash, tenant) =>
      Effect.map(
        run("look for a blob's documents", (db) =>
          tenant === undefined ? db.get(referredByAny, hash) : db.get(referredByTenant, hash, tenant)
        ),
        (row) => row !== undefined
      )
    ),
    claimRemoval: Effect.fn("BlobReferences.claimRemoval")((hash) =>
      Effect.map(
        run("claim the removal of a blob", (db) => db.get(claimSql, hash, int8(Duration.toMillis(removalLease)))),
        (row = {}) =>
          Option.map(Option.fromUndefinedOr(optional(row, "removal", number)), (id) => ({
            id: String(id),
            hash,
            claimedAt: number(row, "claimed_at")
          }))
      )
    ),
    endRemoval: Effect.fn("BlobReferences.endRemoval")(({ id }) =>
      Effect.asVoid(
        run("end the removal of a blob", (db) => db.all("DELETE FROM blob_removals WHERE id = $1", int8(Number(id))))
      )
    ),
    forgetExpired: run("forget old references", (db) =>
      Effect.asVoid(Effect.andThen(db.all(forgetSql("blob_references")), db.all(forgetSql("blob_removals"))))
    )
  })
