import type { TenantId } from "../../domain/Ids.ts"
import { shortestDelayMillis } from "./DeliveryBackoff.ts"

// The hosts that did not answer, per tenant: the deliveries of one tenant do not affect another tenant.
//
// When a host did not answer, deliveries to it that were due by then or soon after are deferred: they would also hold a place
// until their timeout. The delivery that found it unresponsive is not deferred: its next try is due later than that.

/** After this time an unresponsive host no longer defers deliveries. */
const memoryMillis = 30_000
/** With this many unresponsive hosts, all deliveries of the tenant that were due by then are deferred. */
const hostsPerTenant = 4
/** The number of hosts kept per tenant: the ones found last. */
const rememberedPerTenant = 32

export interface UnresponsiveHosts {
  /** Why a delivery to the origin that is due since `dueAt` should be deferred; `undefined` if it should be tried. */
  readonly about: (tenant: TenantId, origin: string, dueAt: number, now: number) => string | undefined
  readonly add: (tenant: TenantId, origin: string, now: number) => void
}

export const makeUnresponsiveHosts = (): UnresponsiveHosts => {
  /** Per tenant and origin, when it was found unresponsive. In both maps the latest comes last. */
  const tenants = new Map<TenantId, Map<string, number>>()

  const forget = (now: number) => {
    for (const [tenant, origins] of tenants) {
      const latest = Math.max(...origins.values())
      if (latest + memoryMillis > now) return
      tenants.delete(tenant)
    }
  }

  return {
    about: (tenant, origin, dueAt, now) => {
      const counts = (at: number | undefined) =>
        at !== undefined && dueAt < at + shortestDelayMillis && now < at + memoryMillis
      const own = tenants.get(tenant) ?? new Map<string, number>()
      if (counts(own.get(origin))) return "the host did not answer a moment ago"
      return Array.from(own.values()).filter(counts).length < hostsPerTenant
        ? undefined
        : "several hosts of the tenant did not answer a moment ago"
    },
    add: (tenant, origin, now) => {
      const own = tenants.get(tenant) ?? new Map<string, number>()
      own.delete(origin)
      own.set(origin, now)
      for (const first of own.keys()) {
        if (own.size <= rememberedPerTenant) break
        own.delete(first)
      }
      tenants.delete(tenant)
      tenants.set(tenant, own)
      forget(now)
    }
  }
}
