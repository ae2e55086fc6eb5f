import { Effect, Option } from "effect"
import { type Ahead, queueScanLimit, type DocumentStore, type UnderWay } from "../DocumentStore.ts"
import type { Documents, Stored } from "./Records.ts"

const remaining = (stored: Stored): number | undefined =>
  stored.pageCount === undefined ? undefined : Math.max(0, stored.pageCount - stored.pages.size)

const noneAhead: Ahead = { documents: 0, pages: 0, unopened: 0 }

/** Queries of queues, of the document store in memory. */
export const queueQueriesMemory = (
  documents: Documents
): Pick<DocumentStore["Service"], "ahead" | "backlogs" | "underWay" | "oldestQueued"> => ({
  ahead: Effect.fn("DocumentStore.ahead")((tenant, id) =>
    Effect.sync((): Ahead => {
      const stored = documents.byId.get(id)
      if (stored?.status !== "queued" || stored.accepted.tenantId !== tenant) return noneAhead
      const ahead = documents.tenant(tenant).backlog.before(stored, queueScanLimit)
      return {
        documents: ahead.length,
        pages: ahead.reduce((sum, other) => sum + (remaining(other) ?? 0), 0),
        unopened: ahead.filter((other) => other.pageCount === undefined).length
      }
    })
  ),
  backlogs: Effect.sync(() =>
    documents.tenantsWithQueued.map((tenant) => ({ tenant, queued: documents.tenant(tenant).backlog.size }))
  ),
  underWay: Effect.sync(() => {
    const resumed = Array.from(documents.byId.values()).filter(
      ({ pageCount, status }) => status === "queued" && pageCount !== undefined
    )
    return [...Array.from(documents.running).slice(0, queueScanLimit), ...resumed.slice(0, queueScanLimit)].map(
      (stored): UnderWay => ({
        tenant: stored.accepted.tenantId,
        id: stored.accepted.id,
        running: stored.status === "running",
        pages: remaining(stored)
      })
    )
  }),
  oldestQueued: Effect.fn("DocumentStore.oldestQueued")((tenant) =>
    Effect.sync(() => {
      if (tenant === undefined) {
        const queued = Array.from(documents.byId.values()).flatMap(({ queuedAt }) => queuedAt ?? [])
        return queued.length === 0 ? Option.none() : Option.some(queued.reduce((least, at) => Math.min(least, at)))
      }
      const moments = documents
        .tenant(tenant)
        .backlog.heads.map(({ accepted }) => Math.max(accepted.acceptedAt, accepted.notBefore ?? 0))
      return moments.length === 0 ? Option.none() : Option.some(Math.min(...moments))
    })
  )
})
