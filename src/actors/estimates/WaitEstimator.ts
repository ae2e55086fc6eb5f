import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { Waiting, WaitingGate } from "../../domain/document/Waiting.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { Ahead } from "../../services/store/QueueFigures.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { CostModel } from "./CostModel.ts"
import { sumOfMillis, timeUntilStart } from "./WaitModel.ts"
import { type EndEstimates, makeEndEstimates } from "./EndEstimates.ts"

/** A tenant is noisy when more work than this of its own waits. */
const noisyMillis = 60_000
/** The furthest time that an estimate names. */
const furthestMillis = 365 * 24 * 3_600_000

const noneAhead: Ahead = { documents: 0, pages: 0, unopened: 0 }

const etaFrom = (from: number, { high, low }: { readonly low: number; readonly high: number }) => ({
  low: DateTime.makeUnsafe(Math.floor(from + Math.min(low, furthestMillis))),
  high: DateTime.makeUnsafe(Math.ceil(from + Math.min(high, furthestMillis)))
})

/** Why documents wait that are not being read. */
const makeReasons = Effect.fnUntraced(function* ({ shortestMillis, untilEnd }: EndEstimates) {
  const queue = yield* DocumentQueue
  const queueStats = yield* QueueStats
  const registry = yield* TenantRegistry
  const costModel = yield* CostModel

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
    const own = yield* shortestMillis(document.tenantId)
    return {
      gate: "schedule",
      eta: etaFrom(due, { low: Math.min(own, alone.low), high: last.high })
    } satisfies Waiting
  })

  return { queued, scheduled }
})

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
      const registry = yield* TenantRegistry
      const estimates = yield* makeEndEstimates
      const { queued, scheduled } = yield* makeReasons(estimates)
      const { capacity, competitorsOf, loads, untilEnd } = estimates

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
          const all = yield* loads
          if (tenant === undefined) {
            const each = Array.from(all.values())
            return each.some(({ queuedMillis }) => queuedMillis > 0) ? sumOfMillis(each) / capacity() : 0
          }
          const own = all.get(tenant)
          if (own === undefined || own.queuedMillis === 0) return 0
          const { weight } = yield* registry.limits(tenant)
          return timeUntilStart({
            capacity: capacity(),
            weight,
            millis: own.millis,
            competitors: competitorsOf(tenant, all)
          })
        }),
        noisy: Effect.fn("WaitEstimator.noisy")(function* (tenant) {
          const all = yield* loads
          const waits = all.get(tenant)?.queuedMillis ?? 0
          return waits > noisyMillis && all.size > 1
        })
      })
    })
  )
}
