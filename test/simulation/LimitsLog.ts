import type { TenantId } from "../../src/domain/Ids.ts"
import type { TenantLimits } from "../../src/domain/tenant/TenantLimits.ts"

interface Period {
  readonly from: number
  readonly limits: TenantLimits
}

/**
 * What every tenant was allowed, and when. At the very moment of a change both hold, the old and the new. A process that did not
 * make the change itself sees it a while later: until then both hold, too.
 */
export class LimitsLog {
  readonly #initial: (tenant: TenantId) => TenantLimits
  readonly #periods = new Map<TenantId, Array<Period>>()
  weightChanges = 0
  /** How long a change may take to be seen everywhere. */
  lagMillis = 0

  constructor(initial: (tenant: TenantId) => TenantLimits) {
    this.#initial = initial
  }

  changed(tenant: TenantId, limits: TenantLimits, at: number): void {
    if (limits.weight !== this.now(tenant).weight) this.weightChanges++
    this.#of(tenant).push({ from: at, limits })
  }

  now(tenant: TenantId): TenantLimits {
    return this.#of(tenant).at(-1)?.limits ?? this.#initial(tenant)
  }

  /** All that was in force at some moment of this time. */
  during(tenant: TenantId, from: number, to: number): ReadonlyArray<TenantLimits> {
    const periods = this.#of(tenant)
    return periods.flatMap((period, nth) => {
      const end = periods[nth + 1]?.from ?? Number.POSITIVE_INFINITY
      return period.from <= to && end + this.lagMillis >= from ? [period.limits] : []
    })
  }

  most(limit: "documents" | "pages" | "backlog", tenant: TenantId, from: number, to = from): number {
    return Math.max(...this.during(tenant, from, to).map((limits) => limits[limit]))
  }

  /** Of all limits that any of these tenants ever had. */
  ever(
    limit: "documents" | "weight",
    tenants: ReadonlyArray<TenantId>
  ): { readonly least: number; readonly most: number } {
    const all = tenants.flatMap((tenant) => this.#of(tenant).map(({ limits }) => limits[limit]))
    return { least: Math.min(...all), most: Math.max(...all) }
  }

  #of(tenant: TenantId): Array<Period> {
    const known = this.#periods.get(tenant)
    if (known !== undefined) return known
    const periods = [{ from: Number.NEGATIVE_INFINITY, limits: this.#initial(tenant) }]
    this.#periods.set(tenant, periods)
    return periods
  }
}
