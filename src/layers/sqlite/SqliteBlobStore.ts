/**
 * Small blobs in the database of the documents, large ones in another store.
 *
 * A file of its own costs a small blob two flushes beside that of its document's acceptance. In the database it costs none: a
 * blob that was received for a document is committed with it.
 */
import { hash as digest } from "node:crypto"
import { Array as Arr, Channel, Clock, Effect, Exit, Layer, Option, Pull, Stream } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import {
  type BlobReceipt,
  BlobStore,
  BlobStoreUnavailable,
  BlobTooLarge,
  type PutOptions,
  tooLateToRemove
} from "../../services/BlobStore.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { GroupCommit, type Operation } from "./database/GroupCommit.ts"
import { migrate } from "./database/Migrations.ts"
import { receiptFor } from "./documents/ReceivedBytes.ts"
import { number, text } from "../rows/documentRows.ts"
import { SqliteDatabase, type Statements } from "./database/SqliteDatabase.ts"

/**
 * A blob of more bytes goes to the other store: SQLite would write it twice, and the engine's process would hold it in memory.
 */
export const mostBytes = 64 * 1024
/** Blobs listed at a time. */
const portion = 1_000

const unavailable = (operation: string) =>
  Effect.mapError((cause: unknown) => new BlobStoreUnavailable({ operation, cause }))

/** What was read of a stream, and then the rest of it. */
const continued = <E, R>(
  head: ReadonlyArray<Uint8Array>,
  pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, E, void, R>
): Stream.Stream<Uint8Array, E, R> =>
  Stream.fromPull(
    Effect.sync(() => {
      let unread = head
      return Effect.suspend(() => {
        const next = unread
        unread = []
        return Arr.isReadonlyArrayNonEmpty(next) ? Effect.succeed(next) : pull
      })
    })
  )

/** Reads only as much as it takes to know whether the blob is small. */
const readHead = Effect.fnUntraced(function* <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) {
  // Nothing else pulls, so the lock of `Stream.toPull` is not needed.
  const pull = yield* Channel.toPullScoped(bytes.channel, yield* Effect.scope)
  const head: Array<Buffer> = []
  let size = 0
  const readOn: Effect.Effect<boolean, E, R> = pull.pipe(
    Effect.map((chunks) => {
      for (const chunk of chunks) {
        // The producer of the chunk may use its memory again.
        head.push(Buffer.from(chunk))
        size += chunk.length
      }
      return true
    }),
    Pull.catchDone(() => Effect.succeed(false))
  )
  while (size <= mostBytes && (yield* readOn));
  return { head, size, pull }
})

/** Saves the blob; one that is there is renewed and healed. */
export const saveBlob = (db: Statements, hash: BlobHash, bytes: Uint8Array, at: number) =>
  db.run(
    `INSERT INTO blobs (hash, bytes, put_at) VALUES (?, ?, ?)
      ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, put_at = excluded.put_at`,
    hash,
    bytes,
    at
  )

const write =
  (hash: BlobHash, bytes: Uint8Array, at: number): Operation<void, never> =>
  (db) => {
    saveBlob(db, hash, bytes, at)
    return Exit.void
  }

const touch =
  (hash: BlobHash, at: number): Operation<number | undefined, never> =>
  (db) => {
    const row = db.get("UPDATE blobs SET put_at = ? WHERE hash = ? RETURNING length(bytes) AS size", at, hash)
    return Exit.succeed(row === undefined ? undefined : number(row, "size"))
  }

/**
 * Spares bytes that a document refers to: those of a small upload come with its document, in one commit, so no reference says
 * before that they are about to come.
 */
const remove =
  (hash: BlobHash, putBefore: number): Operation<void, never> =>
  (db) => {
    db.run(
      "DELETE FROM blobs WHERE hash = ?1 AND put_at < ?2 AND NOT EXISTS (SELECT 1 FROM documents WHERE blob = ?1)",
      hash,
      putBefore
    )
    return Exit.void
  }

const find = (db: Statements, hash: BlobHash): Uint8Array | undefined => {
  const bytes = db.get("SELECT bytes FROM blobs WHERE hash = ?", hash)?.["bytes"]
  return bytes instanceof Uint8Array ? bytes : undefined
}

const listAfter = (db: Statements, hash: string) =>
  db.all("SELECT hash, put_at FROM blobs WHERE hash > ? ORDER BY hash LIMIT ?", hash, portion).map((row) => ({
    hash: BlobHash.make(text(row, "hash")),
    putAtMillis: number(row, "put_at"),
    known: true
  }))

/** What happens to the bytes of a small blob. */
type Keep<E> = (
  hash: BlobHash,
  bytes: Uint8Array
) => Effect.Effect<{ readonly receipt?: BlobReceipt }, BlobStoreUnavailable | E>

const make = Effect.gen(function* () {
  yield* migrate
  const others = yield* BlobStore
  const database = yield* SqliteDatabase
  const commit = yield* GroupCommit

  const takeIn = Effect.fnUntraced(function* <E, R, E2, E3>(
    bytes: Stream.Stream<Uint8Array, E, R>,
    limit: number,
    options: PutOptions<E2>,
    keep: Keep<E3>
  ) {
    const { head, pull, size } = yield* readHead(bytes)
    if (size > limit) return yield* new BlobTooLarge({ limit })
    if (size > mostBytes) return yield* others.put(continued(head, pull), limit, options)
    const [first] = head
    const whole = first?.length === size ? first : Buffer.concat(head)
    const hash = BlobHash.make(digest("sha256", whole, "hex"))
    return { hash, size, ...(yield* keep(hash, whole)) }
  }, Effect.scoped)

  const store: Keep<never> = (hash, bytes) =>
    Effect.clockWith((clock) => commit("write a blob", write(hash, bytes, clock.currentTimeMillisUnsafe()))).pipe(
      unavailable("write a blob"),
      Effect.as({})
    )
  /** Left to the acceptance of the document. */
  const hold: Keep<never> = (_, bytes) => Effect.succeed({ receipt: receiptFor(database.statements, bytes) })

  const listSmall = Stream.paginate("", (after: string) =>
    Effect.map(
      database.use("list blobs", (db) => listAfter(db, after)),
      (found) => {
        const last = found.at(-1)
        return [found, last !== undefined && found.length === portion ? Option.some(last.hash) : Option.none()] as const
      }
    )
  ).pipe(Stream.mapError((cause) => new BlobStoreUnavailable({ operation: "list its blobs", cause })))

  return BlobStore.of({
    put: TraceContext.traced(
      "BlobStore.put",
      <E, R, E2 = never>(bytes: Stream.Stream<Uint8Array, E, R>, limit: number, options: PutOptions<E2> = {}) =>
        takeIn(bytes, limit, options, (hash, whole) =>
          options.reserve === undefined ? store(hash, whole) : Effect.andThen(options.reserve(hash), store(hash, whole))
        )
    ),
    receive: TraceContext.traced(
      "BlobStore.receive",
      <E, R, E2 = never>(bytes: Stream.Stream<Uint8Array, E, R>, limit: number, options: PutOptions<E2> = {}) =>
        takeIn(bytes, limit, options, hold)
    ),
    touch: Effect.fn("BlobStore.touch")(function* (hash: BlobHash) {
      const now = yield* Clock.currentTimeMillis
      const size = yield* commit("renew a blob", touch(hash, now), "deferred").pipe(unavailable("renew a blob"))
      return size ?? (yield* others.touch(hash))
    }),
    locate: Effect.fn("BlobStore.locate")(function* (hash: BlobHash) {
      const bytes = yield* database.use("look for a blob", (db) => find(db, hash)).pipe(unavailable("look for a blob"))
      return bytes === undefined ? yield* others.locate(hash) : ({ _tag: "Bytes", bytes, hash } as const)
    }),
    remove: Effect.fn("BlobStore.remove")(function* (
      hash: BlobHash,
      putBefore = Number.MAX_SAFE_INTEGER,
      until?: number
    ) {
      if (until !== undefined && (yield* Clock.currentTimeMillis) > until) return yield* tooLateToRemove()
      yield* commit("remove a blob", remove(hash, putBefore), "deferred").pipe(unavailable("remove a blob"))
      yield* others.remove(hash, putBefore, until)
    }),
    list: Stream.concat(listSmall, others.list)
  })
})

/** Keeps large blobs in the store it is given. */
export const layerNoDeps = Layer.effect(BlobStore, make)
