import type { TenantId } from "../../domain/Ids.ts"
import { shortestDelayMillis } from "./DeliveryBackoff.ts"

// Hosts that do not answer, of each tenant for itself: what one tenant's deliveries meet with says nothing to another one.
//
// A host that was found silent is held against what was due by then or soon after, which would meet with the same, and keep a
// place until its time is out. The message that found out is tried again: its next try is due when that is over.

/** After this time, nothing is held against a host any longer. */
const memoryMillis = 30_000
/** A tenant that has named so many hosts which do not answer has no more of them tried. */
const hostsPerTenant = 4
/** No more are remembered of a tenant; the ones found last. */
const rememberedPerTenant = 32

export interface UnresponsiveHosts {
  /** Why there is no use in trying the origin now with what is due since then. */
  readonly about: (tenant: TenantId, origin: string, dueAt: number, now: number) => string | undefined
  readonly add: (tenant: TenantId, origin: string, now: number) => void
}

export const makeUnresponsiveHosts = (): UnresponsiveHosts => {
  /** Tenants and their origins, with the moment when one was found silent; in both, the latest comes last. */
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
