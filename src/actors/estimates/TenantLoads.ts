import { Clock, Effect } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { CostModel, type Costs, type Documents, type Work, workOf } from "./CostModel.ts"

/** The loads of the tenants are queried once for all calls within this time. */
const freshMillis = 250

/** The work that a tenant has waiting or running. */
export interface Load extends Work {
  readonly tenant: TenantId
  /** The part of the work that waits in the queue. */
  readonly queuedMillis: number
  /** The remaining work of each running document. */
  readonly running: ReadonlyMap<string, number>
}

/** One document with this many pages left; `undefined` if it has not been opened. */
export const oneOf = (pages: number | undefined): Documents =>
  pages === undefined ? { pages: 0, opened: 0, unopened: 1 } : { pages: Math.max(1, pages), opened: 1, unopened: 0 }

/** A document that was opened before. It runs, or waits in the queue again. */
interface Begun {
  readonly id: string
  /** Pages left, if they are known. */
  readonly pages: number | undefined
  readonly running: boolean
}

/** The load of a tenant with so many queued documents; those in `begun` that do not run are among them. */
const loadOf = (tenant: TenantId, costs: Costs, queued: number, begun: ReadonlyArray<Begun>): Load => {
  const running = new Map<string, number>()
  const all = { pages: 0, opened: 0, unopened: 0 }
  let [resumed, queuedMillis] = [0, 0]
  for (const document of begun) {
    const one = oneOf(document.pages)
    const { millis } = workOf(costs, one)
    all.pages += one.pages
    all.opened += one.opened
    all.unopened += one.unopened
    if (document.running) running.set(document.id, millis)
    else {
      resumed++
      queuedMillis += millis
    }
  }
  const fresh = Math.max(0, queued - resumed)
  all.unopened += fresh
  queuedMillis += workOf(costs, { pages: 0, opened: 0, unopened: fresh }).millis
  return { tenant, queuedMillis, running, ...workOf(costs, all) }
}

/** The loads of all tenants with work. */
export const makeTenantLoads = Effect.gen(function* () {
  const queueStats = yield* QueueStats
  const costModel = yield* CostModel
  let cached: { readonly at: number; readonly loads: ReadonlyMap<TenantId, Load> } | undefined

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (cached !== undefined && Math.abs(now - cached.at) < freshMillis) return cached.loads
    const queued = new Map((yield* queueStats.backlogs).map((one) => [one.tenant, one.queued]))
    const underWay = Map.groupBy(yield* queueStats.underWay, ({ tenant }) => tenant)
    const loads = new Map<TenantId, Load>()
    for (const tenant of new Set([...queued.keys(), ...underWay.keys()])) {
      const waiting = queued.get(tenant)
      // Without a backlog, only what runs is work: the rest is paused.
      const begun = (underWay.get(tenant) ?? []).filter(({ running }) => running || waiting !== undefined)
      loads.set(tenant, loadOf(tenant, costModel.of(tenant), waiting ?? 0, begun))
    }
    cached = { at: now, loads }
    return loads
  })
})
