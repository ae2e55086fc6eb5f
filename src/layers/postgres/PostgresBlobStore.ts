/** Small blobs in Postgres. A blob that was received for a document is committed with it, in the same round trip. */
import { Effect, Layer } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import { BlobStore, BlobStoreUnavailable } from "../../services/BlobStore.ts"
import { receiptFor } from "../blobs/ReceivedBytes.ts"
import { portion, type SmallBlobs, withSmallBlobs } from "../blobs/SmallBlobs.ts"
import { bytes as byteaOf, int4, int8 } from "./database/Parameters.ts"
import { PostgresDatabase, type Row } from "./database/PostgresDatabase.ts"
import { number, text } from "./documents/rows.ts"

const saveSql = "SELECT save_blob($1, $2)"
const touchSql = "UPDATE small_blobs SET put_at = store_now() WHERE hash = $1 RETURNING octet_length(bytes) AS size"
const findSql = "SELECT bytes FROM small_blobs WHERE hash = $1"
const removeSql = "SELECT remove_blob($1, $2)"
const listSql = "SELECT hash, put_at FROM small_blobs WHERE hash > $1 ORDER BY hash LIMIT $2"

const toBlob = (row: Row) => ({
  hash: BlobHash.make(text(row, "hash")),
  putAtMillis: number(row, "put_at"),
  known: true
})

const bytesOf = (row: Row | undefined) => (row?.["bytes"] instanceof Uint8Array ? row["bytes"] : undefined)

const make = Effect.gen(function* () {
  const others = yield* BlobStore
  const database = yield* PostgresDatabase
  const ask = (operation: string, sql: string, ...values: ReadonlyArray<unknown>) =>
    Effect.mapError(
      database.run(operation, (db) => db.all(sql, ...values)),
      (cause) => new BlobStoreUnavailable({ operation, cause })
    )
  const small: SmallBlobs = {
    save: (hash, bytes) => Effect.asVoid(ask("write a blob", saveSql, hash, byteaOf(bytes))),
    hold: (bytes) => receiptFor(database, bytes),
    touch: (hash) =>
      Effect.map(ask("renew a blob", touchSql, hash), ([row]) => (row === undefined ? undefined : number(row, "size"))),
    find: (hash) => Effect.map(ask("look for a blob", findSql, hash), ([row]) => bytesOf(row)),
    remove: (hash, putBefore) => Effect.asVoid(ask("remove a blob", removeSql, hash, int8(putBefore))),
    listAfter: (hash) => Effect.map(ask("list its blobs", listSql, hash, int4(portion)), (rows) => rows.map(toBlob))
  }
  return withSmallBlobs(small, others)
})

/** Keeps large blobs in the store it is given. */
export const layerNoDeps = Layer.effect(BlobStore, make)
