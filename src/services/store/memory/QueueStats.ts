import { Effect, Option } from "effect"
import { type Ahead, queueScanLimit, type UnderWay } from "../QueueFigures.ts"
import { QueueStats } from "../QueueStats.ts"
import type { Records, Stored } from "./Records.ts"

const remaining = (stored: Stored): number | undefined =>
  stored.pageCount === undefined ? undefined : Math.max(0, stored.pageCount - stored.pages.size)

const noneAhead: Ahead = { documents: 0, pages: 0, unopened: 0 }

export const queueStatsMemory = (records: Records) =>
  QueueStats.of({
    // A copy, because the counters move on.
    stats: Effect.fn("QueueStats.stats")((tenant) =>
      Effect.sync(() => ({ ...(tenant === undefined ? records.all : records.tenant(tenant).counters) }))
    ),
    ahead: Effect.fn("QueueStats.ahead")((tenant, id) =>
      Effect.sync((): Ahead => {
        const stored = records.byId.get(id)
        if (stored?.status !== "queued" || stored.accepted.tenantId !== tenant) return noneAhead
        const ahead = records.tenant(tenant).backlog.before(stored, queueScanLimit)
        return {
          documents: ahead.length,
          pages: ahead.reduce((sum, other) => sum + (remaining(other) ?? 0), 0),
          unopened: ahead.filter((other) => other.pageCount === undefined).length
        }
      })
    ),
    backlogs: Effect.sync(() =>
      records.tenantsWithQueued.map((tenant) => ({ tenant, queued: records.tenant(tenant).backlog.size }))
    ),
    underWay: Effect.sync(() => {
      const resumed = Array.from(records.byId.values()).filter(
        ({ pageCount, status }) => status === "queued" && pageCount !== undefined
      )
      return [...Array.from(records.running).slice(0, queueScanLimit), ...resumed.slice(0, queueScanLimit)].map(
        (stored): UnderWay => ({
          tenant: stored.accepted.tenantId,
          id: stored.accepted.id,
          running: stored.status === "running",
          pages: remaining(stored)
        })
      )
    }),
    oldestQueued: Effect.fn("QueueStats.oldestQueued")((tenant) =>
      Effect.sync(() => {
        if (tenant === undefined) {
          const queued = Array.from(records.byId.values()).flatMap(({ queuedAt }) => queuedAt ?? [])
          return queued.length === 0 ? Option.none() : Option.some(queued.reduce((least, at) => Math.min(least, at)))
        }
        const moments = records
          .tenant(tenant)
          .backlog.heads.map(({ accepted, acceptedAt }) => Math.max(acceptedAt, accepted.notBefore ?? 0))
        return moments.length === 0 ? Option.none() : Option.some(Math.min(...moments))
      })
    )
  })
