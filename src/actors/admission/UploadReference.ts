import { Duration, Effect } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import { type BlobReference, BlobReferences } from "../../services/store/BlobReferences.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"

/**
 * From the moment when all bytes are there until their document is committed: a few commits. An upload that takes longer is
 * refused, and its bytes may be removed.
 */
const expiry = Duration.minutes(10)

/** The reference of one upload. It is taken when the hash of the bytes is known. */
export interface Upload {
  readonly reserve: (hash: BlobHash) => Effect.Effect<void, StoreUnavailable>
  /** What was reserved, for the commit that turns it into a document. */
  readonly reference: () => BlobReference | undefined
}

/**
 * Runs uploads. If one fails or is interrupted, its reference is given back; if it succeeds, the commit of its document has ended
 * the reference. If the process dies, the reference runs out.
 */
export const makeUploads = Effect.map(
  BlobReferences,
  (references) =>
    <A, E, R>(use: (upload: Upload) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        let taken: BlobReference | undefined
        const reserve = (hash: BlobHash) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.map(restore(references.reserve(hash, expiry)), (reference) => {
              taken = reference
            })
          )
        return use({ reserve, reference: () => taken }).pipe(
          Effect.onError(() => (taken === undefined ? Effect.void : Effect.ignore(references.release(taken))))
        )
      })
)
