/** `BlobReferences` of the store in memory. */
import { Clock, Duration, Effect, Option } from "effect"
import { BlobReferences } from "../BlobReferences.ts"
import { untilReserved } from "../BlobReferences.ts"
import type { Records } from "./Records.ts"

export const blobReferencesMemory = (records: Records) => {
  const rows = records.references
  const at = <A>(step: (now: number) => A) => Effect.map(Clock.currentTimeMillis, step)
  return BlobReferences.of({
    reserve: Effect.fn("BlobReferences.reserve")((hash, expiry) =>
      untilReserved(at((now) => rows.reserve(hash, now, Duration.toMillis(expiry))))
    ),
    release: Effect.fn("BlobReferences.release")((reference) => Effect.sync(() => rows.release(reference))),
    refersTo: Effect.fn("BlobReferences.refersTo")((hash, tenant) => Effect.sync(() => records.refersTo(hash, tenant))),
    claimRemoval: Effect.fn("BlobReferences.claimRemoval")((hash) =>
      at((now) => Option.fromUndefinedOr(rows.claimRemoval(hash, now)))
    ),
    endRemoval: Effect.fn("BlobReferences.endRemoval")((removal) => Effect.sync(() => rows.endRemoval(removal))),
    forgetExpired: at((now) => rows.forgetExpired(now))
  })
}
