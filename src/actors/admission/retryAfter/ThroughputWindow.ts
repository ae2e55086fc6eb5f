import type { TenantId } from "../../../domain/Ids.ts"

/** The rates at which queues drain: amounts per second over the last half minute, per tenant and over all. */

const slotMillis = 2_000
const slots = 15
export const windowMillis = slots * slotMillis
/** A shorter time is no good base for a rate, which would come out too large. */
const leastMillis = 1_000

/** The rate of one queue. It counts in slots of a ring, so its memory does not grow with the amounts. */
class ThroughputWindow {
  readonly #amounts = Array.from({ length: slots }, () => 0)
  #newest: number
  #since: number
  /** When something last left the queue, or when the measurement began. */
  #last: number
  #before: number | undefined

  constructor(now: number) {
    this.#since = now
    this.#last = now
    this.#newest = Math.floor(now / slotMillis)
  }

  #roll(now: number) {
    const slot = Math.floor(now / slotMillis)
    if (slot - this.#newest >= slots) this.#amounts.fill(0)
    else for (let each = this.#newest + 1; each <= slot; each++) this.#amounts[each % slots] = 0
    this.#newest = Math.max(this.#newest, slot)
  }

  #measured(until: number): number | undefined {
    const total = this.#amounts.reduce((sum, amount) => sum + amount, 0)
    const from = Math.max(this.#since, (this.#newest - slots + 1) * slotMillis)
    return total === 0 ? undefined : (total * 1000) / Math.max(leastMillis, until - from)
  }

  /** The queue was empty: the time before now does not count in the rate. */
  begin(now: number) {
    this.#before = this.#measured(this.#last) ?? this.#before
    this.#amounts.fill(0)
    this.#newest = Math.floor(now / slotMillis)
    this.#since = now
    this.#last = now
  }

  observe(now: number, amount: number) {
    this.#roll(now)
    const slot = this.#newest % slots
    this.#amounts[slot] = (this.#amounts[slot] ?? 0) + amount
    this.#last = now
  }

  /** `undefined` until something has left the queue. */
  perSecond(now: number): number | undefined {
    this.#roll(now)
    return this.#measured(now) ?? this.#before
  }

  isStale(now: number): boolean {
    return now - this.#last > windowMillis
  }
}

/** The rates of all tenants' queues. A queue that has not moved for a while is forgotten. */
export class ThroughputWindows {
  readonly #rates = new Map<TenantId | undefined, ThroughputWindow>()
  #sweptAt = 0

  /** An amount left the tenant's queue or, with no tenant, all queues together. */
  observe(tenant: TenantId | undefined, now: number, amount = 1) {
    this.#sweep(now)
    const known = this.#rates.get(tenant)
    // The first amount only starts the measurement.
    if (known === undefined) this.#rates.set(tenant, new ThroughputWindow(now))
    else known.observe(now, amount)
  }

  begin(tenant: TenantId | undefined, now: number) {
    this.#sweep(now)
    const known = this.#rates.get(tenant)
    if (known === undefined) this.#rates.set(tenant, new ThroughputWindow(now))
    else known.begin(now)
  }

  perSecond(tenant: TenantId | undefined, now: number): number | undefined {
    return this.#rates.get(tenant)?.perSecond(now)
  }

  get size(): number {
    return this.#rates.size
  }

  #sweep(now: number) {
    if (now - this.#sweptAt < windowMillis) return
    this.#sweptAt = now
    for (const [tenant, rate] of this.#rates) if (rate.isStale(now)) this.#rates.delete(tenant)
  }
}
