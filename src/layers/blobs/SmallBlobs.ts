/**
 * Small blobs in the database of the documents, large ones in another store.
 *
 * A file or an object of its own costs a small blob some flushes, or calls, beside that of its document's acceptance. In the database
 * it costs none: a blob that was received for a document is committed with it.
 */
import { hash as digest } from "node:crypto"
import { Array as Arr, Channel, Clock, type Context, Effect, Option, Pull, Stream } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import {
  type BlobAtRest,
  type BlobReceipt,
  BlobStore,
  type BlobStoreUnavailable,
  BlobTooLarge,
  type PutOptions,
  tooLateToRemove
} from "../../services/BlobStore.ts"

/**
 * A blob of more bytes goes to the other store: a database would write it twice, and the engine's process would hold it in memory.
 */
export const mostBytes = 64 * 1024
/** Blobs listed at a time. */
export const portion = 1_000

type Answer<A> = Effect.Effect<A, BlobStoreUnavailable>

/** What a database does with small blobs. */
export interface SmallBlobs {
  /** Saves the blob; one that is there is renewed and healed. */
  readonly save: (hash: BlobHash, bytes: Uint8Array) => Answer<void>
  /** Stands for bytes that the acceptance of their document saves. */
  readonly hold: (bytes: Uint8Array) => BlobReceipt
  /** Renews the blob's time. Its size, if it is there. */
  readonly touch: (hash: BlobHash) => Answer<number | undefined>
  readonly find: (hash: BlobHash) => Answer<Uint8Array | undefined>
  /**
   * Spares bytes that a document refers to: those of a small upload come with its document, in one commit, so no reference says
   * before that they are about to come.
   */
  readonly remove: (hash: BlobHash, putBefore: number) => Answer<void>
  /** The next `portion` in the order of hashes. */
  readonly listAfter: (hash: string) => Answer<ReadonlyArray<BlobAtRest>>
}

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

/** What happens to the bytes of a small blob. */
type Keep<E> = (
  hash: BlobHash,
  bytes: Uint8Array
) => Effect.Effect<{ readonly receipt?: BlobReceipt }, BlobStoreUnavailable | E>

const taking = (others: Context.Service.Shape<typeof BlobStore>) =>
  Effect.fnUntraced(function* <E, R, E2, E3>(
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

/** Keeps large blobs in the other store. */
export const withSmallBlobs = (small: SmallBlobs, others: Context.Service.Shape<typeof BlobStore>) => {
  const takeIn = taking(others)
  const save: Keep<never> = (hash, bytes) => Effect.as(small.save(hash, bytes), {})
  const hold: Keep<never> = (_, bytes) => Effect.succeed({ receipt: small.hold(bytes) })
  const listSmall = Stream.paginate("", (after: string) =>
    Effect.map(small.listAfter(after), (found) => {
      const last = found.at(-1)
      return [found, last !== undefined && found.length === portion ? Option.some(last.hash) : Option.none()] as const
    })
  )
  return BlobStore.of({
    put: TraceContext.traced(
      "BlobStore.put",
      <E, R, E2 = never>(bytes: Stream.Stream<Uint8Array, E, R>, limit: number, options: PutOptions<E2> = {}) =>
        takeIn(bytes, limit, options, (hash, whole) =>
          options.reserve === undefined ? save(hash, whole) : Effect.andThen(options.reserve(hash), save(hash, whole))
        )
    ),
    receive: TraceContext.traced(
      "BlobStore.receive",
      <E, R, E2 = never>(bytes: Stream.Stream<Uint8Array, E, R>, limit: number, options: PutOptions<E2> = {}) =>
        takeIn(bytes, limit, options, hold)
    ),
    touch: Effect.fn("BlobStore.touch")(function* (hash: BlobHash) {
      return (yield* small.touch(hash)) ?? (yield* others.touch(hash))
    }),
    locate: Effect.fn("BlobStore.locate")(function* (hash: BlobHash) {
      const bytes = yield* small.find(hash)
      return bytes === undefined ? yield* others.locate(hash) : ({ _tag: "Bytes", bytes, hash } as const)
    }),
    remove: Effect.fn("BlobStore.remove")(function* (
      hash: BlobHash,
      putBefore = Number.MAX_SAFE_INTEGER,
      until?: number
    ) {
      if (until !== undefined && (yield* Clock.currentTimeMillis) > until) return yield* tooLateToRemove()
      yield* small.remove(hash, putBefore)
      yield* others.remove(hash, putBefore, until)
    }),
    list: Stream.concat(listSmall, others.list)
  })
}
