import type { TenantId } from "../domain/Ids.ts"
import type { TenantOverride } from "../domain/tenant/TenantLimits.ts"

interface Known {
  readonly override: TenantOverride
  readonly version: number
}

/**
 * What one process knows of changed limits. Versions grow with every change, so what is new is what has a version above
 * `refreshedTo`. A change that this process made itself does not move `refreshedTo` on: another process may have made an earlier
 * one that is not known here yet.
 */
export class KnownLimits {
  readonly #byTenant = new Map<TenantId, Known>()
  #refreshedTo = 0

  /** The highest version up to which all changes are known. */
  get refreshedTo(): number {
    return this.#refreshedTo
  }

  of(tenant: TenantId): TenantOverride | undefined {
    return this.#byTenant.get(tenant)?.override
  }

  /** A change that this process made. */
  set(tenant: TenantId, override: TenantOverride, version: number): void {
    if ((this.#byTenant.get(tenant)?.version ?? 0) < version) this.#byTenant.set(tenant, { override, version })
  }

  /** All changes with a version above `refreshedTo`. Answers with the tenants for which they are news. */
  take(changes: Iterable<readonly [TenantId, Known]>): ReadonlyArray<TenantId> {
    const news: Array<TenantId> = []
    let last = this.#refreshedTo
    for (const [tenant, { override, version }] of changes) {
      if (version <= this.#refreshedTo) continue
      last = Math.max(last, version)
      if ((this.#byTenant.get(tenant)?.version ?? 0) >= version) continue
      this.#byTenant.set(tenant, { override, version })
      news.push(tenant)
    }
    this.#refreshedTo = last
    return news
  }
}
