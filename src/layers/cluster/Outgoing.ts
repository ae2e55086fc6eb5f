import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { TenantMessage } from "../../actors/tenant/TenantProtocol.ts"
import type { News } from "./Tenant.ts"

/** More stops than this are not kept: an attempt that goes on is fenced. */
const mostStops = 1_024

/**
 * Messages that wait for the one before them to the same tenant. Many make one: a second wake says nothing new, and of several
 * stops of a document the latest attempt counts. So a tenant has one delivery under way, however many messages are for it.
 */
export class Outgoing {
  readonly #waiting = new Map<TenantId, { wake: boolean; stops: Map<DocumentId, number> }>()

  /** Whether a delivery has to be begun, because none is under way. */
  add(tenant: TenantId, message: TenantMessage): boolean {
    const known = this.#waiting.get(tenant)
    const waiting = known ?? { wake: false, stops: new Map<DocumentId, number>() }
    if (known === undefined) this.#waiting.set(tenant, waiting)
    if (message._tag === "Wake") waiting.wake = true
    else if (waiting.stops.size < mostStops) {
      const attempt = Math.max(message.attempt, waiting.stops.get(message.documentId) ?? 0)
      waiting.stops.set(message.documentId, attempt)
    }
    return known === undefined
  }

  /** What is to be delivered next. Undefined when nothing is left: then the delivery is over. */
  next(tenant: TenantId): News | undefined {
    const waiting = this.#waiting.get(tenant)
    if (waiting === undefined) return undefined
    const { stops, wake } = waiting
    if (!wake && stops.size === 0) {
      this.#waiting.delete(tenant)
      return undefined
    }
    this.#waiting.set(tenant, { wake: false, stops: new Map() })
    return { wake, stops: Array.from(stops, ([documentId, attempt]) => ({ documentId, attempt })) }
  }

  /** The number of tenants with a delivery under way. */
  get size(): number {
    return this.#waiting.size
  }
}
