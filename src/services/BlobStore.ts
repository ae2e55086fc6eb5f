import type { Brand, Effect, Scope, Stream } from "effect"
import { Context, Schema } from "effect"
import { BlobHash } from "../domain/Ids.ts"

/** No such blob, or its bytes no longer match its hash. */
export class BlobLost extends Schema.TaggedError<BlobLost>()("BlobLost", { hash: BlobHash, detail: Schema.String }) {
  override get message() {
    return `blob ${this.hash} is lost: ${this.detail}`
  }
}

/** The store cannot work just now (disk full, read-only, unreachable). Nothing was kept of what was being written. */
export class BlobStoreUnavailable extends Schema.TaggedError<BlobStoreUnavailable>()("BlobStoreUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `the blob store failed to ${this.operation}`
  }
}

/** The right to remove a blob has run out before it was removed. */
export const tooLateToRemove = () =>
  new BlobStoreUnavailable({
    operation: "remove a blob in time",
    cause: new Error("the right to remove it has run out; the next sweep does it")
  })

/** The stream brought more than `limit` bytes. Nothing of it was kept. */
export class BlobTooLarge extends Schema.TaggedError<BlobTooLarge>()("BlobTooLarge", { limit: Schema.Natural }) {
  override get message() {
    return `more than ${this.limit} bytes`
  }
}

/** Where a page worker finds the bytes: a file it can open, or the bytes themselves. It checks them against `hash`. */
export type BlobLocation =
  | { readonly _tag: "File"; readonly path: string; readonly hash?: BlobHash }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array; readonly hash?: BlobHash }

export interface StoredBlob {
  readonly hash: BlobHash
  readonly size: number
}

/** Stands for bytes that a blob store has received. Only blob stores make one, and only `DocumentQueue.accept` reads it. */
export type BlobReceipt = Brand.Branded<object, "sluice/BlobReceipt">

export interface ReceivedBlob extends StoredBlob {
  /** Absent if the blob is stored already. */
  readonly receipt?: BlobReceipt
}

export interface BlobAtRest {
  readonly hash: BlobHash
  /** The moment it was last put or touched. */
  readonly putAtMillis: number
  /**
   * This store put the blob, or a document refers to it. An unknown blob may be all that is left of a document that is not
   * known here.
   */
  readonly known: boolean
}

export interface PutOptions<E = never> {
  /**
   * Called with the hash once all bytes are there, before the blob counts as stored: from then on the caller relies on it. It has
   * to make the blob known, as `BlobReferences.reserve` does; without it, the store does so itself. If it fails, nothing is
   * stored. Not called for a blob with a receipt, which is stored together with its document.
   */
  readonly reserve?: (hash: BlobHash) => Effect.Effect<void, E>
}

/** Content-addressed bytes, written once, never changed. */
export class BlobStore extends Context.Service<
  BlobStore,
  {
    /** Consumes the stream while hashing it. Complete and durable when it succeeds, absent when it fails or is interrupted. */
    readonly put: <E, R, E2 = never>(
      bytes: Stream.Stream<Uint8Array, E, R>,
      limit: number,
      options?: PutOptions<E2>
    ) => Effect.Effect<StoredBlob, E | E2 | BlobTooLarge | BlobStoreUnavailable, R>
    /**
     * The same for the bytes of a document that is about to be accepted. If the answer has a receipt, the blob is stored together
     * with the document by `DocumentQueue.accept`, which takes the receipt; it is absent if that fails or never comes.
     */
    readonly receive: <E, R, E2 = never>(
      bytes: Stream.Stream<Uint8Array, E, R>,
      limit: number,
      options?: PutOptions<E2>
    ) => Effect.Effect<ReceivedBlob, E | E2 | BlobTooLarge | BlobStoreUnavailable, R>
    /**
     * Renews the blob's time as if it were put now; answers with its size. A removal with `putBefore` comes either first, and this
     * fails, or later, and then spares the blob.
     */
    readonly touch: (hash: BlobHash) => Effect.Effect<number, BlobLost | BlobStoreUnavailable>
    /** The location holds until the scope ends: a file may be one of a cache, and is kept there so long. */
    readonly locate: (hash: BlobHash) => Effect.Effect<BlobLocation, BlobLost | BlobStoreUnavailable, Scope.Scope>
    /**
     * Removes the blob, if it is there. With `putBefore`, only if it was last put or touched before that moment: a sweep that
     * found the blob unused must not take it from a submission of the same bytes that came in between. After `until`,
     * at which the right to remove it ends, it fails and removes nothing: a process may be held up for any time in between.
     */
    readonly remove: (hash: BlobHash, putBefore?: number, until?: number) => Effect.Effect<void, BlobStoreUnavailable>
    /** Every blob at rest, for the sweep of blobs that no document refers to. */
    readonly list: Stream.Stream<BlobAtRest, BlobStoreUnavailable>
  }
>()("sluice/services/BlobStore") {}
