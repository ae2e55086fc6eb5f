import { Context, Duration, Effect, Option, Schema } from "effect"
import { BlobHash, type TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "./StoreErrors.ts"

/** Says that bytes are about to get their document or artifact. */
export interface BlobReference {
  readonly id: string
  readonly hash: BlobHash
}

/** The reference ran out before its document was committed. The bytes have to be stored again. */
export class BlobReferenceExpired extends Schema.TaggedError<BlobReferenceExpired>()("BlobReferenceExpired", {
  hash: BlobHash
}) {
  override get message() {
    return `the upload of blob ${this.hash} took too long after its bytes had come`
  }
}

/** The right to remove a blob that nothing refers to. */
export interface BlobRemoval {
  readonly id: string
  readonly hash: BlobHash
  /** When it was claimed, in milliseconds since the epoch. Bytes that were stored later are not meant. */
  readonly claimedAt: number
}

/** How long a claimed removal keeps uploads of the same bytes waiting, if the process that claimed it has died. */
export const removalLease = Duration.seconds(20)

/**
 * What keeps blobs from being removed: documents, their artifacts, and references of uploads under way. All are rows, so every process sees
 * those of all others. Two rules make removal safe:
 *
 * - An upload takes its reference before its bytes are stored, and a document's acceptance turns the reference into the
 *   document in one commit; likewise for the content of an artifact, and the commit that writes it. So from the first byte that counts, something refers to the blob.
 * - A removal is claimed in one commit with the check that nothing refers to the blob. While it is claimed, no reference to the
 *   blob is given. So no upload can begin to trust bytes that are being removed.
 *
 * References and claims of a process that died run out by the store's clock.
 */
export class BlobReferences extends Context.Service<
  BlobReferences,
  {
    /**
     * Takes a reference for at most so long. Waits while a removal of this blob is under way. From then on the blob is known
     * (`BlobAtRest.known`), also if the reference runs out.
     */
    readonly reserve: (hash: BlobHash, expiry: Duration.Input) => Effect.Effect<BlobReference, StoreUnavailable>
    /** Gives a reference back that no document was accepted with. Nothing happens if it has run out. */
    readonly release: (reference: BlobReference) => Effect.Effect<void, StoreUnavailable>
    /**
     * Whether the tenant has a document with this blob; when no tenant is named, whether any document or artifact has it.
     * References do not count.
     */
    readonly refersTo: (hash: BlobHash, tenant?: TenantId) => Effect.Effect<boolean, StoreUnavailable>
    /**
     * Claims the removal of a blob for `removalLease`: none if a document, an artifact or a reference refers to it, or if its removal is
     * claimed already. That nothing refers to it is durable: no crash brings back a document whose bytes were removed.
     */
    readonly claimRemoval: (hash: BlobHash) => Effect.Effect<Option.Option<BlobRemoval>, StoreUnavailable>
    /** The removal is over, successful or not. Nothing happens if the claim has run out. */
    readonly endRemoval: (removal: BlobRemoval) => Effect.Effect<void, StoreUnavailable>
    /** Forgets references and claims that have run out. */
    readonly forgetExpired: Effect.Effect<void, StoreUnavailable>
  }
>()("sluice/services/store/BlobReferences") {}

/** How often an upload that waits for a removal looks again. A removal takes some milliseconds. */
const lookAgain = "50 millis"

/** Attempts to reserve until no removal is under way any more. */
export const untilReserved = <E>(
  attempt: Effect.Effect<Option.Option<BlobReference>, E>
): Effect.Effect<BlobReference, E> =>
  Effect.flatMap(attempt, (reference) =>
    Option.isSome(reference)
      ? Effect.succeed(reference.value)
      : Effect.andThen(
          Effect.sleep(lookAgain),
          Effect.suspend(() => untilReserved(attempt))
        )
  )
