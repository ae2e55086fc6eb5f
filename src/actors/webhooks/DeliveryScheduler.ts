import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { PendingCallback } from "../../domain/webhook/Webhook.ts"

// Chooses the next delivery: a bounded number is in progress, in total and per tenant, and tenants take turns. The deliveries
// that wait here are the result of one recent query of the store, which orders them in turns already.

export interface Bounds {
  readonly total: number
  readonly perTenant: number
  /** The limit of one query. */
  readonly look: number
  /** The longest time for which the result of a query is used, and so the interval between queries. */
  readonly freshMillis: number
}

export interface DeliveryScheduler {
  /** True while another delivery may begin. */
  readonly free: () => boolean
  /** Milliseconds until the result of the last query is too old. */
  readonly freshFor: (now: number) => number
  /** True if the store may have more deliveries of a tenant whose part of the last result is used up. */
  readonly ranDry: () => boolean
  /** The tenant that had the last turn: a query begins with the tenant after it. */
  readonly last: () => TenantId | undefined
  /** To be called before a query. Returns the function for its result, which may still contain deliveries settled meanwhile. */
  readonly looking: (now: number) => (found: ReadonlyArray<PendingCallback>) => void
  /** Begins a delivery; `end` has to follow. */
  readonly begin: () => PendingCallback | undefined
  readonly end: (pending: PendingCallback) => void
}

export const makeDeliveryScheduler = ({ freshMillis, look, perTenant, total }: Bounds): DeliveryScheduler => {
  const underWay = new Set<DocumentId>()
  const counts = new Map<TenantId, number>()
  let waiting: Array<PendingCallback> = []
  /** If the last query reached its limit: the tenants of its result, of which the store may have more. */
  let cut: ReadonlySet<TenantId> = new Set()
  let queriedAt = Number.NEGATIVE_INFINITY
  let last: TenantId | undefined

  const tenantOf = ({ document }: PendingCallback) => document.tenantId
  const mayBegin = (tenant: TenantId) => (counts.get(tenant) ?? 0) < perTenant

  return {
    free: () => underWay.size < total,
    freshFor: (now) => Math.max(0, queriedAt + freshMillis - now),
    ranDry: () => {
      const left = new Set(waiting.map(tenantOf))
      return Array.from(cut).some((tenant) => mayBegin(tenant) && !left.has(tenant))
    },
    last: () => last,
    looking: (now) => {
      const before = new Set(underWay)
      return (found) => {
        queriedAt = now
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
