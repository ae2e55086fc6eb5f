import type { TenantId } from "../../domain/Ids.ts"
import type { Shares } from "../scheduling/FairShares.ts"

/** A tenant without a request for so long has nothing more to do. */
const pauseMillis = 1_000

/** Tenants that go on from turn to turn: between two of them they are not idle, and keep what they are behind. */
export class ActiveTenants {
  readonly #shares: Shares
  readonly #tenants = new Map<TenantId, { requests: number; since: number }>()

  constructor(shares: Shares) {
    this.#shares = shares
  }

  begins(tenant: TenantId, now: number): void {
    const known = this.#tenants.get(tenant)
    if (known === undefined) this.#shares.opens(tenant, 1)
    this.#tenants.set(tenant, { requests: (known?.requests ?? 0) + 1, since: now })
  }

  ends(tenant: TenantId, now: number): void {
    const known = this.#tenants.get(tenant)
    if (known === undefined) return
    known.requests--
    known.since = now
  }

  tick(now: number): void {
    for (const [tenant, { requests, since }] of this.#tenants) {
      if (requests > 0 || now - since <= pauseMillis) continue
      this.#tenants.delete(tenant)
      this.#shares.opens(tenant, -1)
    }
  }
}
