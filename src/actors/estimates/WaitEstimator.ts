import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { Waiting, WaitingGate } from "../../domain/document/Waiting.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { Ahead } from "../../services/store/QueueFigures.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { FairShares } from "../scheduling/FairShares.ts"
import { UsageMeter } from "../scheduling/UsageMeter.ts"
import { amountUntilEnd, finish, type Rival } from "./WaitModel.ts"
import { type Documents, type Work, workOf, CostModel } from "./CostModel.ts"

/** The loads of the tenants are queried once for all calls within this time. */
const freshMillis = 250
/** A tenant is noisy when more work than this of its own waits. */
const noisyMillis = 60_000
/** The furthest time that an estimate names. */
const furthestMillis = 365 * 24 * 3_600_000

interface Load extends Work {
  readonly tenant: TenantId
  /** The part of the work that waits in the queue. */
  readonly queuedMillis: number
  /** The remaining work of each running document. */
  readonly running: ReadonlyMap<string, number>
}

/** One document with this many pages left; `undefined` if it has not been opened. */
const oneOf = (pages: number | undefined): Documents =>
  pages === undefined ? { pages: 0, opened: 0, unopened: 1 } : { pages: Math.max(1, pages), opened: 1, unopened: 0 }

const noneAhead: Ahead = { documents: 0, pages: 0, unopened: 0 }

/** Estimates why and how long documents wait, from the queues and the recent costs of documents. */
export class WaitEstimator extends Context.Service<
  WaitEstimator,
  {
    /** Why the document waits and until when; `undefined` for one that has ended. */
    readonly waiting: (
      document: Document,
      nextAttemptAt: DateTime.Utc | undefined
    ) => Effect.Effect<Waiting | undefined, StoreUnavailable>
    /** The time until all documents that wait now have started, of one tenant or of all. */
    readonly untilStartMillis: (tenant?: TenantId) => Effect.Effect<number, StoreUnavailable>
    /** More than a minute of the tenant's work waits while others have work. */
    readonly noisy: (tenant: TenantId) => Effect.Effect<boolean, StoreUnavailable>
  }
>()("sluice/actors/estimates/WaitEstimator") {
  static readonly layer = Layer.effect(
    WaitEstimator,
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      const config = yield* EngineConfig
      const engine = yield* PdfEngine
      const registry = yield* TenantRegistry
      const shares = yield* FairShares
      const meter = yield* UsageMeter
      const costModel = yield* CostModel
      let cached: { readonly at: number; readonly loads: ReadonlyMap<TenantId, Load> } | undefined

      const queryLoads = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (cached !== undefined && Math.abs(now - cached.at) < freshMillis) return cached.loads
        const queued = new Map((yield* queueStats.backlogs).map((one) => [one.tenant, one.queued]))
        const underWay = Map.groupBy(yield* queueStats.underWay, ({ tenant }) => tenant)
        const loads = new Map<TenantId, Load>()
        for (const tenant of new Set([...queued.keys(), ...underWay.keys()])) {
          const costs = costModel.of(tenant)
          const running = new Map<string, number>()
          const all = { pages: 0, opened: 0, unopened: 0 }
          let [resumed, queuedMillis] = [0, 0]
          for (const document of underWay.get(tenant) ?? []) {
            if (!document.running && !queued.has(tenant)) continue
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
          const fresh = Math.max(0, (queued.get(tenant) ?? 0) - resumed)
          all.unopened += fresh
          queuedMillis += workOf(costs, { pages: 0, opened: 0, unopened: fresh }).millis
          loads.set(tenant, { tenant, queuedMillis, running, ...workOf(costs, all) })
        }
        cached = { at: now, loads }
        return loads
      })

      const rivalsOf = (tenant: TenantId, loads: ReadonlyMap<TenantId, Load>): ReadonlyArray<Rival> => {
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

      const capacity = () => engine.capacity * meter.efficiency()

      /** Milliseconds until the document has ended, if it waits behind `ahead`. */
      const untilEnd = Effect.fnUntraced(function* (document: Document, ahead: Ahead) {
        const { id, progress, tenantId } = document
        const loads = yield* queryLoads
        const limits = yield* registry.limits(tenantId)
        const costs = costModel.of(tenantId)
        const left = progress.pages === undefined ? undefined : Math.max(0, progress.pages - progress.done)
        const one = oneOf(left)
        const own = workOf(costs, one)
        const before = { pages: ahead.pages, opened: ahead.documents - ahead.unopened, unopened: ahead.unopened }
        const slots = Math.min(limits.documents, config.globalDocuments)
        const open = Array.from(loads.get(tenantId)?.running ?? [])
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
        return finish({
          capacity: capacity(),
          weight: limits.weight,
          amount: { ...amount, error },
          lanes: slots * Math.min(limits.pages, Math.max(1, costs.pagesPerDocument, pages)),
          own: { ...own, lanes: Math.min(limits.pages, Math.max(1, pages)) },
          rivals: rivalsOf(tenantId, loads),
          warming: costs.warming
        })
      })

      const etaFrom = (from: number, { high, low }: { readonly low: number; readonly high: number }) => ({
        low: DateTime.makeUnsafe(Math.floor(from + Math.min(low, furthestMillis))),
        high: DateTime.makeUnsafe(Math.ceil(from + Math.min(high, furthestMillis)))
      })

      const queued = Effect.fnUntraced(function* (document: Document) {
        const { id, tenantId } = document
        const ahead = yield* queueStats.ahead(tenantId, id)
        const { pagesPerDocument } = costModel.of(tenantId)
        const place = {
          position: ahead.documents + 1,
          pagesAhead: Math.round(ahead.pages + ahead.unopened * pagesPerDocument)
        }
        if (yield* queue.isPaused(tenantId)) return { gate: "paused", ...place } satisfies Waiting
        const { running } = yield* queueStats.stats(tenantId)
        const { documents } = yield* registry.limits(tenantId)
        const gate: WaitingGate = running + ahead.documents >= documents ? "tenant" : "global"
        const now = yield* Clock.currentTimeMillis
        return { gate, ...place, eta: etaFrom(now, yield* untilEnd(document, ahead)) } satisfies Waiting
      })

      /** By the time the document is due, the present queue may have gone, or may all still be there. */
      const scheduled = Effect.fnUntraced(function* (document: Document) {
        if (yield* queue.isPaused(document.tenantId)) return { gate: "schedule" } satisfies Waiting
        const now = yield* Clock.currentTimeMillis
        const { notBefore } = document.timings
        const due = Math.max(now, notBefore === undefined ? 0 : DateTime.toEpochMillis(notBefore))
        const { waiting } = yield* queueStats.stats(document.tenantId)
        const behindAll = { documents: waiting, pages: 0, unopened: waiting }
        const [alone, last] = [yield* untilEnd(document, noneAhead), yield* untilEnd(document, behindAll)]
        const { own } = yield* soonest(document)
        return {
          gate: "schedule",
          eta: etaFrom(due, { low: Math.min(own, alone.low), high: last.high })
        } satisfies Waiting
      })

      /** The shortest time: a short document that has all workers to itself. */
      const soonest = Effect.fnUntraced(function* ({ tenantId }: Document) {
        const costs = costModel.of(tenantId)
        const pages = costs.pagesPerDocument * Math.max(0.1, 1 - costs.spread)
        const lanes = Math.min(capacity(), (yield* registry.limits(tenantId)).pages)
        return { own: workOf(costs, oneOf(pages)).millis / Math.max(1, lanes) }
      })

      return WaitEstimator.of({
        waiting: Effect.fn("WaitEstimator.waiting")(function* (document, nextAttemptAt) {
          if (isTerminal(document.status)) return undefined
          if (document.status === "queued") return yield* queued(document)
          if (document.status === "scheduled") return yield* scheduled(document)
          if (nextAttemptAt !== undefined) return { gate: "retry" }
          const now = yield* Clock.currentTimeMillis
          return { gate: "page", eta: etaFrom(now, yield* untilEnd(document, noneAhead)) }
        }),
        untilStartMillis: Effect.fn("WaitEstimator.untilStartMillis")(function* (tenant) {
          const loads = yield* queryLoads
          if (tenant === undefined) {
            const all = Array.from(loads.values())
            return all.some(({ queuedMillis }) => queuedMillis > 0)
              ? all.reduce((sum, { millis }) => sum + millis, 0) / capacity()
              : 0
          }
          const own = loads.get(tenant)
          if (own === undefined || own.queuedMillis === 0) return 0
          const { weight } = yield* registry.limits(tenant)
          const time = own.millis / weight
          const others = rivalsOf(tenant, loads).map((rival) =>
            Math.min(rival.millis, Math.max(0, time + rival.behind) * rival.weight)
          )
          return others.reduce((sum, millis) => sum + millis, own.millis) / capacity()
        }),
        noisy: Effect.fn("WaitEstimator.noisy")(function* (tenant) {
          const loads = yield* queryLoads
          const waits = loads.get(tenant)?.queuedMillis ?? 0
          return waits > noisyMillis && loads.size > 1
        })
      })
    })
  )
}
