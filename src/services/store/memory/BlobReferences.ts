/** `BlobReferences` in memory. */
import { Clock, Duration, Effect, Option, Schedule } from "effect"
import type { BlobHash } from "../../../domain/Ids.ts"
import { type BlobReference, BlobReferences, type BlobRemoval, removalLease } from "../BlobReferences.ts"
import type { Documents } from "./Records.ts"

/** How often an upload that waits for a removal looks again. */
const lookAgain = Schedule.spaced("50 millis")

/** References and claims of removals, as state without effects. Times are milliseconds since the epoch. */
export class ReferenceRows {
  readonly #documents: Documents
  readonly #references = new Map<string, { readonly hash: BlobHash; readonly until: number }>()
  readonly #removals = new Map<BlobHash, { readonly id: string; readonly until: number }>()
  #lastId = 0

  constructor(documents: Documents) {
    this.#documents = documents
  }

  /** None while a removal is claimed. */
  reserve(hash: BlobHash, now: number, millis: number): Option.Option<BlobReference> {
    if ((this.#removals.get(hash)?.until ?? now) > now) return Option.none()
    const id = String(++this.#lastId)
    this.#references.set(id, { hash, until: now + millis })
    return Option.some({ id, hash })
  }

  /** Ends the reference. False if it had run out. */
  consume({ id }: BlobReference, now: number): boolean {
    const until = this.#references.get(id)?.until ?? now
    this.#references.delete(id)
    return until > now
  }

  release({ id }: BlobReference): void {
    this.#references.delete(id)
  }

  claimRemoval(hash: BlobHash, now: number): BlobRemoval | undefined {
    if (this.#documents.refersTo(hash, undefined) || (this.#removals.get(hash)?.until ?? now) > now) return undefined
    for (const reference of this.#references.values()) {
      if (reference.hash === hash && reference.until > now) return undefined
    }
    const id = String(++this.#lastId)
    this.#removals.set(hash, { id, until: now + Duration.toMillis(removalLease) })
    return { id, hash, claimedAt: now }
  }

  endRemoval({ hash, id }: BlobRemoval): void {
    if (this.#removals.get(hash)?.id === id) this.#removals.delete(hash)
  }

  forgetExpired(now: number): void {
    for (const [id, { until }] of this.#references) if (until <= now) this.#references.delete(id)
    for (const [hash, { until }] of this.#removals) if (until <= now) this.#removals.delete(hash)
  }
}

export const blobReferencesMemory = (documents: Documents, rows: ReferenceRows) => {
  const at = <A>(step: (now: number) => A) => Effect.map(Clock.currentTimeMillis, step)
  return BlobReferences.of({
    reserve: Effect.fn("BlobReferences.reserve")((hash, expiry) =>
      at((now) => rows.reserve(hash, now, Duration.toMillis(expiry))).pipe(
        Effect.flatMap(Effect.fromOption),
        Effect.retry(lookAgain),
        Effect.orDie
      )
    ),
    release: Effect.fn("BlobReferences.release")((reference) => Effect.sync(() => rows.release(reference))),
    refersTo: Effect.fn("BlobReferences.refersTo")((hash, tenant) =>
      Effect.sync(() => documents.refersTo(hash, tenant))
    ),
    claimRemoval: Effect.fn("BlobReferences.claimRemoval")((hash) =>
      at((now) => Option.fromUndefinedOr(rows.claimRemoval(hash, now)))
    ),
    endRemoval: Effect.fn("BlobReferences.endRemoval")((removal) => Effect.sync(() => rows.endRemoval(removal))),
    forgetExpired: at((now) => rows.forgetExpired(now))
  })
}
