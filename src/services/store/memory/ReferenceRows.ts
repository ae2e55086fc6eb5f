/** The rows behind `BlobReferences` in memory. */
import { Duration, Option } from "effect"
import type { BlobHash } from "../../../domain/Ids.ts"
import { type BlobReference, type BlobRemoval, removalLease } from "../BlobReferences.ts"

/** References and claims of removals, as state without effects. Times are milliseconds since the epoch. */
export class ReferenceRows {
  readonly #isUsed: (hash: BlobHash) => boolean
  readonly #references = new Map<string, { readonly hash: BlobHash; readonly until: number }>()
  readonly #removals = new Map<BlobHash, { readonly id: string; readonly until: number }>()
  #lastId = 0

  constructor(isUsed: (hash: BlobHash) => boolean) {
    this.#isUsed = isUsed
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
    const isValid = (this.#references.get(id)?.until ?? now) > now
    this.#references.delete(id)
    return isValid
  }

  /** Whether the reference has not run out. */
  isValid({ id }: BlobReference, now: number): boolean {
    return (this.#references.get(id)?.until ?? now) > now
  }

  release({ id }: BlobReference): void {
    this.#references.delete(id)
  }

  claimRemoval(hash: BlobHash, now: number): BlobRemoval | undefined {
    if (this.#isUsed(hash) || (this.#removals.get(hash)?.until ?? now) > now) return undefined
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
