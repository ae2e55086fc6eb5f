/** `DocumentQueue` of the store in memory. */
import { type Context, Effect, Option } from "effect"
import { failure } from "../../../domain/Failure.ts"
import type { TenantId } from "../../../domain/Ids.ts"
import { DocumentQueue } from "../DocumentQueue.ts"
import type { BacklogLimits, NewDocument } from "../NewDocument.ts"
import { QuotaReached, StoreUnavailable } from "../StoreErrors.ts"
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
  { acceptedAt, callback, name, notBefore, passwordKey, source, tenantId }: NewDocument
): Stored | undefined =>
  Array.from(records.byId.values()).findLast(
    ({ accepted, blob, passwordKey: ownKey, status }) =>
      source._tag === "Blob" &&
      blob?.hash === source.hash &&
      accepted.tenantId === tenantId &&
      accepted.name === name &&
      ownKey === passwordKey &&
      status !== "failed" &&
      status !== "cancelled" &&
      (callback === undefined || accepted.callback === callback) &&
      (status !== "scheduled" || (accepted.notBefore ?? 0) <= Math.max(notBefore ?? 0, acceptedAt))
  )

const accepting = (records: Records): Pick<Queue, "accept"> => ({
  accept: Effect.fn("DocumentQueue.accept")(function* (document, limits) {
    const standIn = document.reuse ? standInFor(records, document) : undefined
    if (standIn !== undefined) {
      standIn.shared++
      return toDocument(standIn)
    }
    const full = fullQueue(records, document.tenantId, limits) ?? quotaReached(records, document, limits)
    if (full !== undefined) return yield* full
    if (records.byId.has(document.id)) {
      return yield* new StoreUnavailable({ operation: "accept a document", cause: "its id is taken" })
    }
    const later = document.notBefore !== undefined && document.notBefore > document.acceptedAt
    return toDocument(records.add(document, later ? "scheduled" : "queued"))
  })
})

const leasing = (records: Records): Pick<Queue, "claim" | "renew"> => ({
  claim: Effect.fn("DocumentQueue.claim")((tenant, lease) =>
    Effect.sync(() =>
      Option.map(Option.fromUndefinedOr(records.next(tenant)), (stored) => {
        records.move(stored, "running")
        stored.attempt++
        stored.lease = { runner: lease.runner, until: lease.until }
        stored.startedAt ??= lease.now
        stored.queuedAt = undefined
        return {
          fence: { documentId: stored.accepted.id, attempt: stored.attempt },
          document: toDocument(stored),
          sealedPassword: stored.sealedPassword,
          donePages: new Set(stored.pages.keys()),
          faults: new Map(Array.from(stored.faults).filter(([page]) => !stored.pages.has(page)))
        }
      })
    )
  ),
  renew: Effect.fn("DocumentQueue.renew")((lease) =>
    Effect.sync(() => {
      const own = Array.from(records.running).filter((stored) => stored.lease?.runner === lease.runner)
      return own.map((stored) => {
        stored.lease = { runner: lease.runner, until: lease.until }
        return { documentId: stored.accepted.id, attempt: stored.attempt }
      })
    })
  )
})

const running = (
  records: Records,
  owes: Owes
): Pick<Queue, "fetched" | "opened" | "savePages" | "recordFault" | "finish" | "finishWhole"> => ({
  fetched: Effect.fn("DocumentQueue.fetched")((fence, blob) =>
    held(records, fence, (stored) => {
      stored.blob = blob
      records.setBytes(stored, { original: blob.size })
    })
  ),
  opened: Effect.fn("DocumentQueue.opened")((fence, pdf) =>
    held(records, fence, (stored) => records.setOpened(stored, pdf))
  ),
  savePages: (fence, pages) =>
    held(records, fence, (stored) => {
      for (const page of pages) records.addPage(stored, page)
    }),
  recordFault: Effect.fn("DocumentQueue.recordFault")((fence, page, fault) =>
    held(records, fence, (stored) => {
      const { deaths, failures } = stored.faults.get(page) ?? { deaths: 0, failures: 0 }
      stored.faults.set(page, fault === "death" ? { deaths: deaths + 1, failures } : { deaths, failures: failures + 1 })
    })
  ),
  finish: Effect.fn("DocumentQueue.finish")((fence, outcome, at) =>
    held(records, fence, (stored) => {
      end(records, owes, stored, outcome, at)
      return toDocument(stored)
    })
  ),
  finishWhole: Effect.fn("DocumentQueue.finishWhole")((fence, { pages, pdf }, outcome, at) =>
    held(records, fence, (stored) => {
      records.setOpened(stored, pdf)
      for (const page of pages) records.addPage(stored, page)
      end(records, owes, stored, outcome, at)
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
): Pick<Queue, "release" | "reclaimExpired" | "queueDue" | "expireQueued"> => ({
  release: Effect.fn("DocumentQueue.release")((fence) =>
    Effect.asVoid(held(records, fence, (stored) => requeue(records, [stored], interrupted)))
  ),
  reclaimExpired: Effect.fn("DocumentQueue.reclaimExpired")((now) =>
    Effect.sync(() => {
      const expired = Array.from(records.running).filter(({ lease }) => lease !== undefined && lease.until <= now)
      return requeue(records, expired, interrupted)
    })
  ),
  queueDue: Effect.fn("DocumentQueue.queueDue")((now) =>
    Effect.sync(() => {
      const due = Array.from(records.scheduled).filter(({ accepted }) => (accepted.notBefore ?? 0) <= now)
      return requeue(records, due, (stored) => {
        stored.queuedAt = now
      })
    })
  ),
  expireQueued: Effect.fn("DocumentQueue.expireQueued")((queuedBefore, at, limit) =>
    Effect.sync(() =>
      Array.from(records.byId.values())
        .flatMap((stored) =>
          stored.queuedAt !== undefined && stored.queuedAt < queuedBefore ? [{ stored, since: stored.queuedAt }] : []
        )
        .toSorted((a, b) => a.since - b.since)
        .slice(0, limit)
        .map(({ stored }) => {
          const reason = failure("EXPIRED", "The document waited too long for its turn.")
          end(records, owes, stored, { status: "failed", failure: reason }, at)
          return toDocument(stored)
        })
    )
  )
})

const pausing = (records: Records): Pick<Queue, "hasQueued" | "tenantsWithQueued" | "setPaused" | "isPaused"> => ({
  hasQueued: Effect.fn("DocumentQueue.hasQueued")((tenant) => Effect.sync(() => records.next(tenant) !== undefined)),
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
