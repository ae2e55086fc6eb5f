// Puts the loads of the tenants, their limits and the measured costs into the model of waiting.
import { Effect } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { Ahead } from "../../services/store/QueueFigures.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { RunnerRegister } from "../../services/runners/RunnerRegister.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { FairShares } from "../scheduling/FairShares.ts"
import { UsageMeter } from "../scheduling/UsageMeter.ts"
import { CostModel, workOf } from "./CostModel.ts"
import { type Load, makeTenantLoads, oneOf } from "./TenantLoads.ts"
import { amountUntilEnd, type Competitor, timeUntilEnd } from "./WaitModel.ts"

type Loads = ReadonlyMap<TenantId, Load>

export const makeEndEstimates = Effect.gen(function* () {
  const config = yield* EngineConfig
  const engine = yield* PdfEngine
  const registry = yield* TenantRegistry
  const register = yield* RunnerRegister
  const shares = yield* FairShares
  const meter = yield* UsageMeter
  const costModel = yield* CostModel
  const loads = yield* makeTenantLoads

  /** Worker milliseconds per millisecond. */
  const capacity = () => (register.totals()?.capacity ?? engine.capacity) * meter.efficiency()

  /** The other tenants with work. */
  const competitorsOf = (tenant: TenantId, loads: Loads): ReadonlyArray<Competitor> => {
    const own = shares.virtualTime(tenant)
    return Array.from(loads.values())
      .filter((load) => load.tenant !== tenant)
      .map((load) => ({
        millis: load.millis,
        error: load.error,
        weight: shares.weight(load.tenant),
        behind: own - shares.virtualTime(load.tenant)
      }))
  }

  /** Milliseconds until the document has ended, if it waits behind `ahead`. */
  const untilEnd = Effect.fnUntraced(function* (document: Document, ahead: Ahead) {
    const { id, progress, tenantId } = document
    const all = yield* loads
    const limits = yield* registry.limits(tenantId)
    const costs = costModel.of(tenantId)
    const left = progress.pages === undefined ? undefined : Math.max(0, progress.pages - progress.done)
    const one = oneOf(left)
    const own = workOf(costs, one)
    const before = { pages: ahead.pages, opened: ahead.documents - ahead.unopened, unopened: ahead.unopened }
    const slots = Math.min(limits.documents, config.globalDocuments)
    const open = Array.from(all.get(tenantId)?.running ?? [])
      .filter(([other]) => other !== id)
      .map(([, millis]) => millis)
    const amount = amountUntilEnd({
      slots,
      open,
      own: own.millis,
      ahead: { documents: ahead.documents, millis: workOf(costs, before).millis }
    })
    const { error } = workOf(costs, {
      pages: before.pages + one.pages,
      opened: before.opened + one.opened,
      unopened: before.unopened + one.unopened
    })
    const pages = left ?? costs.pagesPerDocument
    return timeUntilEnd({
      capacity: capacity(),
      weight: limits.weight,
      amount: { ...amount, error },
      lanes: slots * Math.min(limits.pages, Math.max(1, costs.pagesPerDocument, pages)),
      own: { ...own, lanes: Math.min(limits.pages, Math.max(1, pages)) },
      competitors: competitorsOf(tenantId, all),
      warming: costs.warming
    })
  })

  /** Milliseconds that a short document of the tenant takes if it has all workers to itself. */
  const shortestMillis = Effect.fnUntraced(function* (tenant: TenantId) {
    const costs = costModel.of(tenant)
    const pages = costs.pagesPerDocument * Math.max(0.1, 1 - costs.spread)
    const lanes = Math.min(capacity(), (yield* registry.limits(tenant)).pages)
    return workOf(costs, oneOf(pages)).millis / Math.max(1, lanes)
  })

  return { capacity, competitorsOf, loads, shortestMillis, untilEnd }
})
export type EndEstimates = Effect.Success<typeof makeEndEstimates>
