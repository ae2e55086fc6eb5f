import { Effect, FiberSet } from "effect"
import type { TenantDirectory } from "../../actors/tenant/TenantDirectory.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { Outgoing } from "./Outgoing.ts"
import type { News } from "./Tenant.ts"

/** A message to a runner that is gone waits, so each is given up after this time, and sent once more, to where the tenant is then. */
const patience = ["1 second", "2 seconds"] as const

/**
 * Delivers messages to tenants' actors with this call, one delivery to a tenant at a time. They end with the scope.
 *
 * However a call ends, the delivery goes on to its end: without it no later message to the tenant would be sent. A runner that stops
 * may answer a call with its interruption, and one that has a fault with the defect.
 */
export const makeDeliveries = Effect.fnUntraced(function* <E, R>(
  call: (tenant: TenantId, news: News) => Effect.Effect<void, E, R>
) {
  const outgoing = new Outgoing()
  const send = (tenant: TenantId, news: News, within: (typeof patience)[number]) =>
    Effect.timeout(
      Effect.suspend(() => call(tenant, news)),
      within
    )

  const deliver = Effect.fnUntraced(function* (tenant: TenantId) {
    for (let news = outgoing.next(tenant); news !== undefined; news = outgoing.next(tenant)) {
      const message = news
      yield* send(tenant, message, patience[0]).pipe(
        Effect.catchCause(() => send(tenant, message, patience[1])),
        // Its work is in the store: the runner that gets the tenant's shard looks there.
        Effect.catchCause((cause) => Effect.logDebug("a message to a tenant's actor was lost", cause)),
        Effect.annotateLogs({ "tenant.id": tenant })
      )
    }
  })
  const fork = yield* FiberSet.makeRuntime<R>()
  const tell: TenantDirectory["Service"]["tell"] = (tenant, message) =>
    Effect.sync(() => {
      if (outgoing.add(tenant, message)) fork(deliver(tenant))
    })
  return { tell }
})
