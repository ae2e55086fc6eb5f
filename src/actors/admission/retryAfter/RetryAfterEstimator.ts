import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import { EngineConfig } from "../../../services/config/EngineConfig.ts"
import { TenantRegistry } from "../../../services/TenantRegistry.ts"
import { Runner } from "../../tenant/Runner.ts"
import { type Scope, CapacityForecast } from "./CapacityForecast.ts"

/** The assumed run time of a document before any has been measured. */
const firstRunMillis = 1000
/** Places to wait for. Documents end at irregular intervals, so a slightly longer wait finds a place more surely. */
const slack = 1.1

/**
 * Estimates Retry-After for a full backlog from the rate at which the backlog drains. The rate counts ends of documents: in a
 * full backlog, for each document that ends another one leaves the queue. A document that runs several times because it was
 * preempted counts once.
 */
export class RetryAfterEstimator extends Context.Service<
  RetryAfterEstimator,
  {
    /** A document of the tenant has ended. */
    readonly ended: (tenant: TenantId) => Effect.Effect<void>
    /** The tenant, or with no tenant the whole engine, was idle until now: idle time does not lower the rate. */
    readonly begin: (tenant?: TenantId) => Effect.Effect<void>
    /** Seconds until the backlog, which holds its limit of `capacity` documents, has a place for this tenant. */
    readonly retryAfter: (scope: Scope, tenant: TenantId, capacity: number) => Effect.Effect<number>
    /** The number of tenants in memory. */
    readonly size: () => number
  }
>()("sluice/actors/admission/retryAfter/RetryAfterEstimator") {
  static readonly layer = Layer.effect(
    RetryAfterEstimator,
    Effect.gen(function* () {
      const config = yield* EngineConfig
      const registry = yield* TenantRegistry
      const runner = yield* Runner
      const forecast = new CapacityForecast()

      /** The rate if the gate were the only limit on documents. */
      const guess = Effect.fnUntraced(function* (tenant: TenantId | undefined) {
        const own = tenant === undefined ? config.globalDocuments : (yield* registry.limits(tenant)).documents
        return (Math.min(own, config.globalDocuments) * 1000) / Math.max(1, runner.meanRunMillis() ?? firstRunMillis)
      })

      return RetryAfterEstimator.of({
        ended: (tenant) => Effect.map(Clock.currentTimeMillis, (now) => forecast.ended(tenant, now)),
        begin: (tenant) => Effect.map(Clock.currentTimeMillis, (now) => forecast.begin(tenant, now)),
        retryAfter: Effect.fnUntraced(function* (scope, tenant, capacity) {
          const now = yield* Clock.currentTimeMillis
          const measured = forecast.perSecond(scope, tenant, now)
          const perSecond = measured ?? (yield* guess(scope === "tenant" ? tenant : undefined))
          // Callers that come back within one second find no more places than the whole backlog has.
          return forecast.retryAfter(scope, tenant, now, slack, Math.min(perSecond, Math.max(1, capacity)))
        }),
        size: () => forecast.size
      })
    })
  )
}
