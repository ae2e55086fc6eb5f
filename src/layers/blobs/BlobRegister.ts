import { Effect } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import type { BlobStoreUnavailable } from "../../services/BlobStore.ts"

/** Records which blobs were put by this store's owner, as opposed to blobs that were found in the folder. */
export interface BlobRegister {
  readonly add: (hash: BlobHash) => Effect.Effect<void, BlobStoreUnavailable>
  /** Nothing happens if a document or an upload refers to the blob. */
  readonly drop: (hash: BlobHash) => Effect.Effect<void, BlobStoreUnavailable>
  /** The blob was entered, or a document refers to it. */
  readonly has: (hash: BlobHash) => Effect.Effect<boolean, BlobStoreUnavailable>
}

/** Without a register every blob in the folder counts as entered. */
export const noRegister: BlobRegister = {
  add: () => Effect.void,
  drop: () => Effect.void,
  has: () => Effect.succeed(true)
}
