import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import { EngineConfig } from "../../../services/config/EngineConfig.ts"
import { TenantRegistry } from "../../../services/TenantRegistry.ts"
import { Runner } from "../../tenant/Runner.ts"
import { type Scope, CapacityForecast } from "./CapacityForecast.ts"

/** Guess of a document's run time before any was measured. */
const firstRunMillis = 1000
/** Places to wait for. Documents do not end at an even pace: a little later is surer to find one. */
const slack = 1.1

/**
 * How fast the backlogs drain, and so when those who were refused by a full one may come back. Measured by the ends of
 * documents: in a full backlog, for each document that ends another one leaves it. One that is read in several turns,
 * because it made room for others, still counts once.
 */
export class RetryAfterEstimator extends Context.Service<
  RetryAfterEstimator,
  {
    /** A document of the tenant has ended. */
    readonly ended: (tenant: TenantId) => Effect.Effect<void>
    /** Nothing of the tenant, or of anybody, waited or ran: idleness does not count as slowness. */
    readonly begin: (tenant?: TenantId) => Effect.Effect<void>
    /** Seconds until the backlog, which holds its limit of `capacity` documents, has a place for this tenant. */
    readonly retryAfter: (scope: Scope, tenant: TenantId, capacity: number) => Effect.Effect<number>
    /** Tenants of which something is remembered. */
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

      /** As if the gate were all that holds documents back. */
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
          // Those who come back within one second find no more places than the whole backlog has.
          return forecast.retryAfter(scope, tenant, now, slack, Math.min(perSecond, Math.max(1, capacity)))
        }),
        size: () => forecast.size
      })
    })
  )
}
