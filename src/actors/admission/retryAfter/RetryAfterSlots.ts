import type { TenantId } from "../../../domain/Ids.ts"

/**
 * Gives each refused request its own moment to come back: the next one at which a place is expected that no earlier request
 * was given. So every caller that keeps to its Retry-After is admitted. The moments are kept per tenant: a tenant that asks
 * repeatedly lengthens only its own wait.
 */

/** The longest wait that is estimated. */
export const longestWaitSeconds = 300
const longestWaitMillis = longestWaitSeconds * 1000
const sweepMillis = 1_000

/** The greatest number of seconds that a Retry-After header carries. */
const mostSeconds = 2 ** 31 - 1

/** Whole seconds for a Retry-After header. */
const wholeSeconds = (millis: number): number => Math.min(mostSeconds, Math.max(1, Math.ceil(millis / 1000)))

export class RetryAfterSlots {
  /** Per tenant, the last moment given, and the time between two places then. Past moments are forgotten. */
  readonly #lastGiven = new Map<TenantId, { readonly at: number; readonly millisPerPlace: number }>()
  #sweptAt = 0

  /** Estimated seconds until the tenant's next place, if one becomes free every `millisPerPlace`. */
  next(tenant: TenantId, now: number, millisPerPlace: number): number {
    return this.#reserve(tenant, now, millisPerPlace, millisPerPlace, longestWaitMillis)
  }

  /**
   * The same where the first place certainly comes no earlier than `first`, and the second no earlier than `millisPerPlace`
   * after it. So `longestWaitSeconds` limits only the waits for later places.
   */
  nextAtRate(tenant: TenantId, now: number, millisPerPlace: number, first: number): number {
    return this.#reserve(tenant, now, millisPerPlace, first, Math.max(longestWaitMillis, first + millisPerPlace))
  }

  /** The number of tenants with a moment in the future, to within a second, including this one. */
  sharers(tenant: TenantId, now: number): number {
    this.#sweep(now)
    return this.#lastGiven.size + (this.#lastGiven.has(tenant) ? 0 : 1)
  }

  /** Forgets the tenant's moment: places became free earlier or later than estimated. */
  forget(tenant: TenantId) {
    this.#lastGiven.delete(tenant)
  }

  #reserve(tenant: TenantId, now: number, millisPerPlace: number, first: number, longest: number): number {
    this.#sweep(now)
    const last = this.#lastGiven.get(tenant)
    // The requests that wait need as many places as before, but the rate may have changed.
    const ahead = last === undefined ? 0 : (Math.max(0, last.at - now) / last.millisPerPlace) * millisPerPlace
    const wait = Math.min(longest, ahead === 0 ? first : Math.max(first, ahead + millisPerPlace))
    this.#lastGiven.set(tenant, { at: now + wait, millisPerPlace })
    return wholeSeconds(wait)
  }

  #sweep(now: number) {
    if (now - this.#sweptAt < sweepMillis) return
    this.#sweptAt = now
    for (const [tenant, { at }] of this.#lastGiven) if (at <= now) this.#lastGiven.delete(tenant)
  }
}
