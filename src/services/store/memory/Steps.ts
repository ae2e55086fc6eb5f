/** Steps that several contracts of the store in memory share. Each runs whole, so no two can interleave. */
import { Clock, Effect } from "effect"
import { failure } from "../../../domain/Failure.ts"
import type { BlobHash, DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { BlobRemoval } from "../BlobReferences.ts"
import type { Removed } from "../Documents.ts"
import type { Fence } from "../Fence.ts"
import type { BacklogLimits } from "../NewDocument.ts"
import type { Outcome } from "../Outcome.ts"
import { DocumentNotFound, LeaseLost, QueueFull } from "../StoreErrors.ts"
import { blobsOf } from "./ArtifactRows.ts"
import type { Records, Stored } from "./Records.ts"

/** Whether the end of the document is owed to a receiver. */
export type Owes = (stored: Stored) => boolean

export const located = <A>(
  records: Records,
  tenant: TenantId,
  id: DocumentId,
  step: (stored: Stored, now: number) => A
) =>
  Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<A, DocumentNotFound> => {
    const stored = records.byId.get(id)
    return stored === undefined || stored.accepted.tenantId !== tenant
      ? Effect.fail(new DocumentNotFound({ documentId: id }))
      : Effect.succeed(step(stored, now))
  })

export const held = <A>(records: Records, { attempt, documentId }: Fence, step: (stored: Stored, now: number) => A) =>
  Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<A, LeaseLost> => {
    const stored = records.byId.get(documentId)
    return stored === undefined || stored.status !== "running" || stored.attempt !== attempt
      ? Effect.fail(new LeaseLost({ documentId, attempt }))
      : Effect.succeed(step(stored, now))
  })

export const end = (
  records: Records,
  owes: Owes,
  stored: Stored,
  outcome: Outcome | { readonly status: "cancelled" },
  at: number
): void => {
  records.move(stored, outcome.status)
  stored.finishedAt = at
  stored.queuedAt = undefined
  stored.sealedPassword = undefined
  stored.callbackDue = owes(stored) ? at : undefined
  if (outcome.status === "failed") stored.failure = outcome.failure
  if (outcome.status === "cancelled") stored.failure = failure("CANCELLED", "The document was cancelled.")
}

export const fullQueue = (records: Records, tenant: TenantId, limits: BacklogLimits): QueueFull | undefined => {
  const { counters } = records.tenant(tenant)
  if (counters.waiting >= limits.tenant) return new QueueFull({ scope: "tenant", limit: limits.tenant })
  if (records.all.waiting >= limits.global) return new QueueFull({ scope: "global", limit: limits.global })
  return undefined
}

export const claimRemovals = (records: Records, blobs: Iterable<BlobHash>, now: number): ReadonlyArray<BlobRemoval> =>
  Array.from(blobs).flatMap((hash) => records.references.claimRemoval(hash, now) ?? [])

export const remove = (records: Records, stored: Stored, now: number): Removed => {
  records.remove(stored)
  const blobs = new Set([
    ...(stored.blob === undefined ? [] : [stored.blob.hash]),
    ...blobsOf(stored.artifacts.values())
  ])
  return {
    id: stored.accepted.id,
    tenantId: stored.accepted.tenantId,
    attempt: stored.attempt,
    status: stored.status,
    unusedBlobs: claimRemovals(records, blobs, now)
  }
}
