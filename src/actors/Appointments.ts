import type { TenantId } from "../domain/Ids.ts"

/**
 * When those who were refused may come back. Each is told the next moment at which there is a place that nobody else was
 * told of, so that all who obey are let in. The moments are kept per tenant: a tenant that asks and asks makes only its own
 * wait longer.
 */

export const longestWaitSeconds = 300
const longestWaitMillis = longestWaitSeconds * 1000
const sweepMillis = 1_000

/** As Retry-After tells it: whole seconds, within bounds. */
const wholeSeconds = (millis: number): number => Math.min(longestWaitSeconds, Math.max(1, Math.ceil(millis / 1000)))

export class Appointments {
  /** By tenant, the last moment that was told, and how far apart places were then. Those that are past are forgotten. */
  private readonly told = new Map<TenantId, { readonly at: number; readonly millisPerPlace: number }>()
  private sweptAt = 0

  /** Seconds until the tenant's next place. There is one every `millisPerPlace`, and the first after `first`. */
  next(tenant: TenantId, now: number, millisPerPlace: number, first = millisPerPlace): number {
    this.sweep(now)
    const last = this.told.get(tenant)
    // Those who wait need as many places as before, but these may come faster or slower by now.
    const ahead = last === undefined ? 0 : (Math.max(0, last.at - now) / last.millisPerPlace) * millisPerPlace
    const wait = Math.min(longestWaitMillis, ahead === 0 ? first : Math.max(first, ahead + millisPerPlace))
    this.told.set(tenant, { at: now + wait, millisPerPlace })
    return wholeSeconds(wait)
  }

  /** Tenants that were told a moment in the future, give or take a second, and this one. */
  sharers(tenant: TenantId, now: number): number {
    this.sweep(now)
    return this.told.size + (this.told.has(tenant) ? 0 : 1)
  }

  /** Places have become more, or fewer, than was thought. */
  forget(tenant: TenantId) {
    this.told.delete(tenant)
  }

  private sweep(now: number) {
    if (now - this.sweptAt < sweepMillis) return
    this.sweptAt = now
    for (const [tenant, { at }] of this.told) if (at <= now) this.told.delete(tenant)
  }
}
