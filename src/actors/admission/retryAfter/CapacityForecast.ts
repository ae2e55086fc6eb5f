import type { TenantId } from "../../../domain/Ids.ts"
import { RetryAfterSlots } from "./RetryAfterSlots.ts"
import { ThroughputWindows } from "./ThroughputWindow.ts"

export type Scope = "tenant" | "global"

/**
 * When those who were refused because a limit was reached, on what one tenant has or on what all have, may come back:
 * measured by how fast what counts against it ends.
 */
export class CapacityForecast {
  readonly #rates = new ThroughputWindows()
  readonly #appointments = { tenant: new RetryAfterSlots(), global: new RetryAfterSlots() }

  /** Tenants of which something is remembered. */
  get size(): number {
    return this.#rates.size
  }

  /** So much of the tenant has ended. */
  ended(tenant: TenantId, now: number, amount = 1): void {
    this.#rates.observe(tenant, now, amount)
    this.#rates.observe(undefined, now, amount)
  }

  /** There was nothing of the tenant, or of anybody, until now: idleness does not count as slowness. */
  begin(tenant: TenantId | undefined, now: number): void {
    this.#rates.begin(tenant, now)
  }

  /** How fast it ends; `undefined` until that was measured. */
  perSecond(scope: Scope, tenant: TenantId, now: number): number | undefined {
    return this.#rates.perSecond(scope === "tenant" ? tenant : undefined, now)
  }

  /** Seconds until so much more has ended at this pace that the tenant finds room for the amount. */
  retryAfter(scope: Scope, tenant: TenantId, now: number, amount: number, perSecond: number): number {
    // Tenants that wait for the same room share it, however often each of them asks.
    const sharers = scope === "global" ? this.#appointments.global.sharers(tenant, now) : 1
    return this.#appointments[scope].next(tenant, now, (1000 * amount * sharers) / perSecond)
  }
}
