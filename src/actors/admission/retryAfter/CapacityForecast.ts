import type { TenantId } from "../../../domain/Ids.ts"
import { RetryAfterSlots } from "./RetryAfterSlots.ts"
import { ThroughputWindows } from "./ThroughputWindow.ts"

export type Scope = "tenant" | "global"

/**
 * Estimates Retry-After for a limit that is reached, of one tenant or of all tenants, from the rate at which the limited
 * amount (documents or bytes) is released.
 */
export class CapacityForecast {
  readonly #rates = new ThroughputWindows()
  readonly #slots = { tenant: new RetryAfterSlots(), global: new RetryAfterSlots() }

  /** The number of tenants in memory. */
  get size(): number {
    return this.#rates.size
  }

  /** The tenant released this amount. */
  ended(tenant: TenantId, now: number, amount = 1): void {
    this.#rates.observe(tenant, now, amount)
    this.#rates.observe(undefined, now, amount)
  }

  /** The tenant, or with no tenant the whole engine, was idle until now: idle time does not lower the rate. */
  begin(tenant: TenantId | undefined, now: number): void {
    this.#rates.begin(tenant, now)
  }

  /** The rate of release; `undefined` until it has been measured. */
  perSecond(scope: Scope, tenant: TenantId, now: number): number | undefined {
    return this.#rates.perSecond(scope === "tenant" ? tenant : undefined, now)
  }

  /** Seconds until, at this rate, the amount is free for the tenant. */
  retryAfter(scope: Scope, tenant: TenantId, now: number, amount: number, perSecond: number): number {
    // Tenants that wait for the same capacity share the rate, however often each of them asks.
    const sharers = scope === "global" ? this.#slots.global.sharers(tenant, now) : 1
    return this.#slots[scope].next(tenant, now, (1000 * amount * sharers) / perSecond)
  }
}
