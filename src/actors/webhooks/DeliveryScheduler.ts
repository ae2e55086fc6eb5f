import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { PendingCallback } from "../../domain/webhook/Webhook.ts"

// Which delivery is next: a bounded number is under way, in all and of each tenant, and tenants take turns. What waits here
// was read from the store a moment ago, in turns already, and is as much as one look brings.

export interface Bounds {
  readonly total: number
  readonly perTenant: number
  /** How many are read at once. */
  readonly look: number
  /** What was read is not used any longer than this, and the store is asked so often. */
  readonly freshMillis: number
}

export interface DeliveryScheduler {
  /** Another one may be begun. */
  readonly free: () => boolean
  /** Milliseconds until what was read is too old. */
  readonly freshFor: (now: number) => number
  /** Nothing can be begun, but the store may have more of a tenant whose part of the last look was used up. */
  readonly ranDry: () => boolean
  /** Whose turn was last: a look begins behind it. */
  readonly last: () => TenantId | undefined
  /** To be called before a look: gives what takes its result, which may still name what is settled meanwhile. */
  readonly looking: (now: number) => (found: ReadonlyArray<PendingCallback>) => void
  /** Begins one; `end` has to follow. */
  readonly begin: () => PendingCallback | undefined
  readonly end: (pending: PendingCallback) => void
}

export const makeDeliveryScheduler = ({ freshMillis, look, perTenant, total }: Bounds): DeliveryScheduler => {
  const underWay = new Set<DocumentId>()
  const counts = new Map<TenantId, number>()
  let waiting: Array<PendingCallback> = []
  /** Of whom the last look brought something that could be begun, if there was more than it could bring. */
  let cut: ReadonlySet<TenantId> = new Set()
  let lookedAt = Number.NEGATIVE_INFINITY
  let last: TenantId | undefined

  const tenantOf = ({ document }: PendingCallback) => document.tenantId
  const mayBegin = (tenant: TenantId) => (counts.get(tenant) ?? 0) < perTenant

  return {
    free: () => underWay.size < total,
    freshFor: (now) => Math.max(0, lookedAt + freshMillis - now),
    ranDry: () => {
      const left = new Set(waiting.map(tenantOf))
      return Array.from(cut).some((tenant) => mayBegin(tenant) && !left.has(tenant))
    },
    last: () => last,
    looking: (now) => {
      const before = new Set(underWay)
      return (found) => {
        lookedAt = now
        waiting = found.filter(({ document }) => !before.has(document.id))
        cut = new Set(found.length < look ? [] : waiting.map(tenantOf))
      }
    },
    begin: () => {
      const index = waiting.findIndex((one) => mayBegin(tenantOf(one)))
      const next = waiting[index]
      if (next === undefined) return undefined
      waiting.splice(index, 1)
      last = tenantOf(next)
      underWay.add(next.document.id)
      counts.set(last, (counts.get(last) ?? 0) + 1)
      return next
    },
    end: (pending) => {
      const tenant = tenantOf(pending)
      underWay.delete(pending.document.id)
      const left = (counts.get(tenant) ?? 1) - 1
      if (left === 0) counts.delete(tenant)
      else counts.set(tenant, left)
    }
  }
}
