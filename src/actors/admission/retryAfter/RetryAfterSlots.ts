import type { TenantId } from "../../../domain/Ids.ts"

/**
 * When those who were refused may come back. Each is told the next moment at which there is a place that nobody else was
 * told of, so that all who obey are let in. The moments are kept per tenant: a tenant that asks and asks makes only its own
 * wait longer.
 */

/** A guess reaches no further. */
export const longestWaitSeconds = 300
const longestWaitMillis = longestWaitSeconds * 1000
const sweepMillis = 1_000

/** What HTTP allows to be told, in seconds. */
const mostSeconds = 2 ** 31 - 1

/** As Retry-After tells it. */
const wholeSeconds = (millis: number): number => Math.min(mostSeconds, Math.max(1, Math.ceil(millis / 1000)))

export class RetryAfterSlots {
  /** By tenant, the last moment that was told, and how far apart places were then. Those that are past are forgotten. */
  private readonly told = new Map<TenantId, { readonly at: number; readonly millisPerPlace: number }>()
  private sweptAt = 0

  /** Seconds until the tenant's next place, as far as can be guessed: there is one every `millisPerPlace`. */
  next(tenant: TenantId, now: number, millisPerPlace: number): number {
    return this.tell(tenant, now, millisPerPlace, millisPerPlace, longestWaitMillis)
  }

  /**
   * The same where it is certain that there is no place before `first`, nor another before `millisPerPlace` after that. Only
   * whether more than two come for them is a guess.
   */
  nextAtRate(tenant: TenantId, now: number, millisPerPlace: number, first: number): number {
    return this.tell(tenant, now, millisPerPlace, first, Math.max(longestWaitMillis, first + millisPerPlace))
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

  private tell(tenant: TenantId, now: number, millisPerPlace: number, first: number, longest: number): number {
    this.sweep(now)
    const last = this.told.get(tenant)
    // Those who wait need as many places as before, but these may come faster or slower by now.
    const ahead = last === undefined ? 0 : (Math.max(0, last.at - now) / last.millisPerPlace) * millisPerPlace
    const wait = Math.min(longest, ahead === 0 ? first : Math.max(first, ahead + millisPerPlace))
    this.told.set(tenant, { at: now + wait, millisPerPlace })
    return wholeSeconds(wait)
  }

  private sweep(now: number) {
    if (now - this.sweptAt < sweepMillis) return
    this.sweptAt = now
    for (const [tenant, { at }] of this.told) if (at <= now) this.told.delete(tenant)
  }
}
