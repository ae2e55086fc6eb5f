/** Moves originals and contents of artifacts: small ones out of the folder's database, and the others if they are to be in another place. */
import { createReadStream } from "node:fs"
import { Data, Effect, type Scope, Stream } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import type { BlobLocation, BlobLost, BlobStore, BlobStoreUnavailable, BlobTooLarge } from "../../services/BlobStore.ts"
import type { BlobRegister } from "../blobs/BlobRegister.ts"
import { PostgresDatabase } from "../postgres/database/PostgresDatabase.ts"
import { progressOf, saveProgress } from "../postgres/storage/FolderMove.ts"
import { SqliteDatabase } from "../sqlite/database/SqliteDatabase.ts"
import { MoveRefused } from "./MoveRefused.ts"
import { cannotRead } from "./Source.ts"

/** By this run; others may have come before it. */
export interface OriginalsMoved {
  /** Stored in the new place; each was hashed on its way. */
  readonly stored: number
  /** That stay where they are. */
  readonly kept: number
  /** That are not where they should be, and were not before. */
  readonly missing: number
  /** That have other bytes than they were stored with. They are not moved. */
  readonly damaged: number
}

type Outcome = keyof OriginalsMoved

const step = "originals"
const portion = 64
const atOnce = 4

interface Original {
  readonly hash: BlobHash
  /** Of an original in the database. */
  readonly bytes: Uint8Array | undefined
}

/** Each table is read only as far as the portion goes. */
const firstOf = (table: string) => `
  SELECT hash FROM (SELECT DISTINCT blob AS hash FROM ${table} WHERE blob > ?1 ORDER BY blob LIMIT ${portion})`

const nextSql = `
  SELECT hash, (SELECT b.bytes FROM blobs b WHERE b.hash = used.hash) AS bytes FROM (
    ${["documents", "artifacts"].map(firstOf).join(" UNION ")} ORDER BY hash LIMIT ${portion}
  ) used ORDER BY hash`

const nextOriginals = Effect.fnUntraced(function* (after: string) {
  const database = yield* SqliteDatabase
  return yield* database
    .use("list originals", (db) =>
      db.all(nextSql, after).map(({ bytes, hash }): Original => ({
        hash: BlobHash.make(String(hash)),
        bytes: bytes instanceof Uint8Array ? bytes : undefined
      }))
    )
    .pipe(cannotRead)
})

const bytesAt = (location: BlobLocation): Stream.Stream<Uint8Array, MoveRefused> =>
  location._tag === "Bytes"
    ? Stream.make(location.bytes)
    : Stream.fromAsyncIterable(
        createReadStream(location.path),
        (cause) => new MoveRefused({ detail: `${location.path} cannot be read: ${String(cause)}` })
      )

type Store = BlobStore["Service"]
type MoveError = OtherBytes | BlobTooLarge | BlobStoreUnavailable | MoveRefused

class OtherBytes extends Data.TaggedError("OtherBytes")<{}> {}

export interface Ends {
  readonly source: Store
  readonly target: Store
  /** Of the target. */
  readonly register: BlobRegister
  /** Whether both are the same place. */
  readonly stays: boolean
}

const moveOne = (original: Original, { register, source, stays, target }: Ends) =>
  Effect.gen(function* (): Effect.fn.Return<Outcome, BlobLost | MoveError, Scope.Scope> {
    const { bytes, hash } = original
    const location: BlobLocation = bytes === undefined ? yield* source.locate(hash) : { _tag: "Bytes", bytes }
    if (bytes === undefined && stays) {
      yield* register.add(hash)
      return "kept"
    }
    yield* target.put(bytesAt(location), Number.MAX_SAFE_INTEGER, {
      reserve: (found) => (found === hash ? Effect.void : Effect.fail(new OtherBytes()))
    })
    return "stored"
  }).pipe(
    Effect.catchTag("BlobLost", () => Effect.succeed<Outcome>("missing")),
    Effect.catchTag("OtherBytes", () => Effect.succeed<Outcome>("damaged")),
    Effect.scoped
  )

/** In the order of their hashes, so that a move that broke off goes on behind the last portion. */
export const moveOriginals = Effect.fnUntraced(function* (ends: Ends) {
  const { run } = yield* PostgresDatabase
  const before = yield* run("see how far originals have come", (db) => progressOf(db, step))
  const counts: Record<Outcome, number> = { stored: 0, kept: 0, missing: 0, damaged: 0 }
  let after = before.lastKey ?? ""
  let count = before.rows
  for (;;) {
    const originals = yield* nextOriginals(after)
    const last = originals.at(-1)
    if (last === undefined) return counts satisfies OriginalsMoved
    const outcomes = yield* Effect.forEach(originals, (original) => moveOne(original, ends), {
      concurrency: atOnce
    })
    for (const outcome of outcomes) counts[outcome]++
    after = last.hash
    count += originals.length
    yield* run("save how far originals have come", (db) => saveProgress(db, step, count, last.hash))
  }
})
