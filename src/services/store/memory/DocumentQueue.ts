/** `DocumentQueue` of the store in memory. */
import { Clock, type Context, Duration, Effect, Option } from "effect"
import { failure } from "../../../domain/Failure.ts"
import type { TenantId } from "../../../domain/Ids.ts"
import { BlobReferenceExpired } from "../BlobReferences.ts"
import { DocumentQueue } from "../DocumentQueue.ts"
import { type BacklogLimits, type NewDocument, storedPipeline } from "../NewDocument.ts"
import { QuotaReached, StoreUnavailable } from "../StoreErrors.ts"
import { addArtifacts, countsOf, endReferences } from "./Artifacts.ts"
import { type Records, type Stored, toDocument } from "./Records.ts"
import { end, fullQueue, held, type Owes } from "./Steps.ts"

type Queue = Context.Service.Shape<typeof DocumentQueue>

const quotaReached = (
  records: Records,
  { source, tenantId }: NewDocument,
  { storedBytes: limit }: BacklogLimits
): QuotaReached | undefined => {
  const { storedBytes } = records.tenant(tenantId).counters
  const size = source._tag === "Blob" ? source.size : 1
  return limit !== undefined && storedBytes + size > limit ? new QuotaReached({ limit, storedBytes }) : undefined
}

const standInFor = (
  records: Records,
  { callback, name, notBefore, passwordKey, pipeline, source, tenantId }: NewDocument,
  now: number
): Stored | undefined =>
  Array.from(records.byId.values()).findLast(
    ({ accepted, blob, passwordKey: ownKey, status }) =>
      source._tag === "Blob" &&
      blob?.hash === source.hash &&
      accepted.tenantId === tenantId &&
      accepted.name === name &&
      ownKey === passwordKey &&
      storedPipeline(accepted.pipeline) === storedPipeline(pipeline) &&
      status !== "failed" &&
      status !== "cancelled" &&
      (callback === undefined || accepted.callback === callback) &&
      (status !== "scheduled" || (accepted.notBefore ?? 0) <= Math.max(notBefore ?? 0, now))
  )

const accepting = (records: Records): Pick<Queue, "accept"> => ({
  accept: Effect.fn("DocumentQueue.accept")(function* (document, limits) {
    const { reference } = document
    const now = yield* Clock.currentTimeMillis
    const standIn = document.reuse ? standInFor(records, document, now) : undefined
    if (standIn !== undefined) {
      if (reference !== undefined) records.references.release(reference)
      standIn.shared++
      return toDocument(standIn)
    }
    const full = fullQueue(records, document.tenantId, limits) ?? quotaReached(records, document, limits)
    if (full !== undefined) return yield* full
    if (document.source._tag === "Blob" && document.source.receipt !== undefined) {
      const cause = "its bytes were received by another store"
      return yield* new StoreUnavailable({ operation: "accept a document", cause })
    }
    if (records.byId.has(document.id)) {
      return yield* new StoreUnavailable({ operation: "accept a document", cause: "its id is taken" })
    }
    if (reference !== undefined && !records.references.consume(reference, now)) {
      return yield* new BlobReferenceExpired({ hash: reference.hash })
    }
    const later = document.notBefore !== undefined && document.notBefore > now
    return toDocument(records.add(document, now, later ? "scheduled" : "queued"))
  })
})

const leasing = (records: Records): Pick<Queue, "claim" | "renew"> => ({
  claim: Effect.fn("DocumentQueue.claim")((tenant, { lease, runner }, most) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Option.map(Option.fromUndefinedOr(records.next(tenant, most)), (stored) => {
        records.move(stored, "running")
        stored.attempt++
        stored.lease = { runner, until: now + Duration.toMillis(lease) }
        stored.startedAt ??= now
        stored.queuedAt = undefined
        return {
          fence: { documentId: stored.accepted.id, attempt: stored.attempt },
          document: toDocument(stored),
          sealedPassword: stored.sealedPassword,
          donePages: new Set(stored.pages.keys()),
          artifacts: countsOf(stored),
          faults: new Map(Array.from(stored.faults).filter(([page]) => !stored.pages.has(page)))
        }
      })
    )
  ),
  renew: Effect.fn("DocumentQueue.renew")(({ lease, runner }) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const own = Array.from(records.running).filter((stored) => stored.lease?.runner === runner)
      return own.map((stored) => {
        stored.lease = { runner, until: now + Duration.toMillis(lease) }
        return { documentId: stored.accepted.id, attempt: stored.attempt }
      })
    })
  )
})

const running = (
  records: Records,
  owes: Owes
): Pick<Queue, "fetched" | "opened" | "savePages" | "saveArtifacts" | "recordFault" | "finish" | "finishWhole"> => ({
  fetched: Effect.fn("DocumentQueue.fetched")(function* (fence, blob, reference) {
    const now = yield* Clock.currentTimeMillis
    const stored = yield* held(records, fence, (found) => found)
    if (reference !== undefined && !records.references.consume(reference, now)) {
      return yield* new BlobReferenceExpired({ hash: reference.hash })
    }
    stored.blob = blob
    records.setBytes(stored, { original: blob.size })
  }),
  opened: Effect.fn("DocumentQueue.opened")((fence, pdf) =>
    held(records, fence, (stored) => records.setOpened(stored, pdf))
  ),
  savePages: (fence, pages) =>
    held(records, fence, (stored) => {
      for (const page of pages) records.addPage(stored, page)
    }),
  saveArtifacts: Effect.fn("DocumentQueue.saveArtifacts")(function* (fence, artifacts, pages = []) {
    const refused = yield* held(records, fence, (stored, now) => {
      const expired = endReferences(records, artifacts, now)
      if (expired !== undefined) return expired
      addArtifacts(records, stored, artifacts, now)
      for (const page of pages) records.addPage(stored, page)
      return undefined
    })
    if (refused !== undefined) return yield* refused
  }),
  recordFault: Effect.fn("DocumentQueue.recordFault")((fence, page, fault) =>
    held(records, fence, (stored) => {
      const { deaths, failures } = stored.faults.get(page) ?? { deaths: 0, failures: 0 }
      stored.faults.set(page, fault === "death" ? { deaths: deaths + 1, failures } : { deaths, failures: failures + 1 })
    })
  ),
  finish: Effect.fn("DocumentQueue.finish")((fence, outcome) =>
    held(records, fence, (stored, now) => {
      end(records, owes, stored, outcome, now)
      return toDocument(stored)
    })
  ),
  finishWhole: Effect.fn("DocumentQueue.finishWhole")((fence, { pages, pdf }, outcome) =>
    held(records, fence, (stored, now) => {
      records.setOpened(stored, pdf)
      for (const page of pages) records.addPage(stored, page)
      end(records, owes, stored, outcome, now)
      return toDocument(stored)
    })
  )
})

const requeue = (
  records: Records,
  stored: ReadonlyArray<Stored>,
  change: (stored: Stored) => void
): ReadonlyArray<TenantId> => {
  for (const one of stored) {
    records.move(one, "queued")
    change(one)
  }
  return Array.from(new Set(stored.map((one) => one.accepted.tenantId)))
}

const interrupted = (stored: Stored): void => {
  stored.interruptions++
}

const requeueing = (
  records: Records,
  owes: Owes
): Pick<Queue, "release" | "reclaimExpired" | "reclaimAll" | "queueDue" | "expireQueued"> => ({
  release: Effect.fn("DocumentQueue.release")((fence) =>
    Effect.asVoid(held(records, fence, (stored) => requeue(records, [stored], interrupted)))
  ),
  reclaimExpired: Effect.withSpan("DocumentQueue.reclaimExpired")(
    Effect.map(Clock.currentTimeMillis, (now) => {
      const expired = Array.from(records.running).filter(({ lease }) => lease !== undefined && lease.until <= now)
      return requeue(records, expired, interrupted)
    })
  ),
  reclaimAll: Effect.fn("DocumentQueue.reclaimAll")((tenant) =>
    Effect.sync(() => {
      const running = Array.from(records.running).filter(({ accepted }) => accepted.tenantId === tenant)
      requeue(records, running, interrupted)
      return running.length
    })
  ),
  queueDue: Effect.withSpan("DocumentQueue.queueDue")(
    Effect.map(Clock.currentTimeMillis, (now) => {
      const due = Array.from(records.scheduled).filter(({ accepted }) => (accepted.notBefore ?? 0) <= now)
      return requeue(records, due, (stored) => {
        stored.queuedAt = now
      })
    })
  ),
  expireQueued: Effect.fn("DocumentQueue.expireQueued")((waitedLongerThan, limit) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Array.from(records.byId.values())
        .flatMap((stored) =>
          stored.queuedAt !== undefined && now - stored.queuedAt > Duration.toMillis(waitedLongerThan)
            ? [{ stored, since: stored.queuedAt }]
            : []
        )
        .toSorted((a, b) => a.since - b.since)
        .slice(0, limit)
        .map(({ stored }) => {
          const reason = failure("EXPIRED", "The document waited too long for its turn.")
          end(records, owes, stored, { status: "failed", failure: reason }, now)
          return toDocument(stored)
        })
    )
  )
})

const pausing = (
  records: Records
): Pick<Queue, "hasQueued" | "tenantsWithQueued" | "tenantsWithRunning" | "setPaused" | "isPaused"> => ({
  tenantsWithRunning: Effect.sync(() =>
    Array.from(new Set(Array.from(records.running, ({ accepted }) => accepted.tenantId)))
  ),
  hasQueued: Effect.fn("DocumentQueue.hasQueued")((tenant, most) =>
    Effect.sync(() => records.next(tenant, most) !== undefined)
  ),
  tenantsWithQueued: Effect.sync(() => records.tenantsWithQueued),
  setPaused: Effect.fn("DocumentQueue.setPaused")((tenant, paused) =>
    Effect.sync(() => {
      if (paused) records.paused.add(tenant)
      else records.paused.delete(tenant)
    })
  ),
  isPaused: Effect.fn("DocumentQueue.isPaused")((tenant) => Effect.sync(() => records.paused.has(tenant)))
})

export const documentQueueMemory = (records: Records, owes: Owes) =>
  DocumentQueue.of({
    ...accepting(records),
    ...leasing(records),
    ...running(records, owes),
    ...requeueing(records, owes),
    ...pausing(records)
  })
