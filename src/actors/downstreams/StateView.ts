import { DateTime } from "effect"
import type { DownstreamName, DownstreamState } from "../../domain/downstream/Downstream.ts"
import type { Budget } from "./Budget.ts"
import { type Dispatcher, perCostUnit } from "./Dispatcher.ts"
import type { Figures } from "./Figures.ts"

const mostTenantsShown = 100

/** The downstream as the interface shows it. */
export const stateOf = (
  name: DownstreamName,
  dispatcher: Dispatcher,
  figures: Figures,
  now: number
): DownstreamState => {
  const { places, settings } = dispatcher
  const { lastFailure } = figures
  const online = places.of("online")
  const batch = places.of("batch")
  const blocked = dispatcher.blockedAt(now)
  const scale = settings.sharedBy === "cost" ? perCostUnit : 1
  const budgetOf = (budget: Budget) => ({
    limit: budget.limit,
    left: budget.left(now),
    resetsAt: DateTime.makeUnsafe(budget.resetsAt(now))
  })
  return {
    name,
    paused: settings.paused,
    inUse: { online: online.inUse, batch: batch.inUse },
    waiting: { online: online.waiting, batch: batch.waiting },
    limit: settings.limit.limit,
    limits: { ...settings.limit.bounds, reserve: settings.now.reserve },
    breaker: dispatcher.breakerAt(now),
    ...(blocked === undefined ? {} : { blocked: blocked.by }),
    ...(settings.tokens && { tokens: budgetOf(settings.tokens) }),
    ...(settings.cost && { cost: budgetOf(settings.cost) }),
    refusals: { ...figures.refusals },
    calls: figures.calls,
    ...(lastFailure && { lastFailure: { ...lastFailure, at: DateTime.makeUnsafe(lastFailure.at) } }),
    tenants: places
      .tenants(mostTenantsShown)
      .map(({ inUse, tenant, used, waiting }) => ({ tenantId: tenant, inUse, waiting, used: used / scale })),
    usedIn: settings.sharedBy
  }
}
