import { Duration, Effect, Option } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import { BlobStore } from "../../services/BlobStore.ts"
import { BlobReferences, type BlobRemoval, removalLease } from "../../services/store/BlobReferences.ts"

/** A claim is used for so long, in milliseconds. The rest of it is for clocks that are apart. */
const usableMillis = Duration.toMillis(removalLease) * 0.75

/** Removes blobs to which nothing refers. */
export const makeUnusedBlobs = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const references = yield* BlobReferences

  /**
   * Removes the bytes of a claimed removal. Uploads of the same bytes wait meanwhile. Bytes that were stored after the claim are
   * spared: the process must have been held up for longer than its claim lasts.
   */
  const remove = (removal: BlobRemoval, putBefore = removal.claimedAt + 1) =>
    blobs
      .remove(removal.hash, putBefore, removal.claimedAt + usableMillis)
      .pipe(Effect.ensuring(Effect.ignore(references.endRemoval(removal))), Effect.uninterruptible)

  return {
    /** Removes the bytes of claimed removals, one after the other. */
    removeAll: (removals: ReadonlyArray<BlobRemoval>) =>
      Effect.forEach(removals, (removal) => remove(removal), { discard: true }),
    /** Removes the blob if nothing refers to it now, and if it was stored before that moment. */
    collect: Effect.fnUntraced(function* (hash: BlobHash, putBefore: number) {
      const removal = yield* references.claimRemoval(hash)
      if (Option.isSome(removal)) yield* remove(removal.value, putBefore)
    })
  }
})
