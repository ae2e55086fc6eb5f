import { createHash } from "node:crypto"
import { Clock, Effect, Layer, Stream } from "effect"
import { BlobHash } from "../domain/Ids.ts"
import {
  BlobLost,
  BlobStore,
  BlobStoreUnavailable,
  BlobTooLarge,
  type PutOptions,
  tooLateToRemove
} from "./BlobStore.ts"

export interface MemoryOptions {
  /** Bytes held in all; a put beyond that fails like a full disk. */
  readonly totalBytes?: number | undefined
}

interface Entry {
  readonly bytes: Uint8Array
  readonly putAtMillis: number
}

/** Blobs that live as long as the layer. */
export const layer = (options: MemoryOptions = {}): Layer.Layer<BlobStore> =>
  Layer.sync(BlobStore, () => {
    const entries = new Map<BlobHash, Entry>()
    const totalBytes = options.totalBytes ?? Number.POSITIVE_INFINITY
    let heldBytes = 0

    const put = Effect.fn("BlobStore.put")(function* <E, R, E2 = never>(
      bytes: Stream.Stream<Uint8Array, E, R>,
      limit: number,
      { reserve }: PutOptions<E2> = {}
    ) {
      const chunks: Array<Uint8Array> = []
      let size = 0
      yield* Stream.runForEach(bytes, (chunk): Effect.Effect<void, BlobTooLarge | BlobStoreUnavailable> => {
        size += chunk.length
        if (size > limit) return Effect.fail(new BlobTooLarge({ limit }))
        if (heldBytes + size > totalBytes) return Effect.fail(full())
        chunks.push(chunk.slice())
        return Effect.void
      })
      const whole = new Uint8Array(Buffer.concat(chunks))
      const hash = BlobHash.make(createHash("sha256").update(whole).digest("hex"))
      if (reserve !== undefined) yield* reserve(hash)
      const putAtMillis = yield* Clock.currentTimeMillis
      const held = entries.get(hash)
      // Others may have filled the store while this stream was read.
      if (held === undefined && heldBytes + size > totalBytes) return yield* full()
      if (held === undefined) heldBytes += size
      entries.set(hash, { bytes: held?.bytes ?? whole, putAtMillis })
      return { hash, size }
    })

    const find = Effect.fnUntraced(function* (hash: BlobHash) {
      const entry = entries.get(hash)
      return entry ?? (yield* new BlobLost({ hash, detail: "it is not in the store" }))
    })

    return BlobStore.of({
      put,
      receive: put,
      touch: Effect.fn("BlobStore.touch")(function* (hash: BlobHash) {
        const putAtMillis = yield* Clock.currentTimeMillis
        const { bytes } = yield* find(hash)
        entries.set(hash, { bytes, putAtMillis })
        return bytes.length
      }),
      locate: Effect.fn("BlobStore.locate")(function* (hash: BlobHash) {
        return { _tag: "Bytes", bytes: (yield* find(hash)).bytes } as const
      }),
      remove: Effect.fnUntraced(function* (
        hash: BlobHash,
        putBefore = Number.POSITIVE_INFINITY,
        until = Number.POSITIVE_INFINITY
      ) {
        const now = yield* Clock.currentTimeMillis
        const entry = entries.get(hash)
        if (entry === undefined || entry.putAtMillis >= putBefore) return
        if (now > until) return yield* tooLateToRemove()
        heldBytes -= entry.bytes.length
        entries.delete(hash)
      }),
      list: Stream.suspend(() =>
        Stream.fromIterable(Array.from(entries, ([hash, { putAtMillis }]) => ({ hash, putAtMillis, known: true })))
      )
    })
  })

export const layerMemory: Layer.Layer<BlobStore> = layer()

const full = () => new BlobStoreUnavailable({ operation: "keep more bytes in memory", cause: "the store is full" })
