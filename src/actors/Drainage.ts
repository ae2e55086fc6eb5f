import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../domain/Ids.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { TenantRegistry } from "../services/TenantRegistry.ts"
import { Appointments } from "./Appointments.ts"
import { DrainRates } from "./DrainRate.ts"
import { Runner } from "./Runner.ts"

/** Guess of a document's run time before any was measured. */
const firstRunMillis = 1000
/** Documents do not end at an even pace: a little later is surer to find a place. */
const slack = 1.1

/**
 * How fast the backlogs drain, and so when those who were refused by a full one may come back. Measured by the ends of
 * documents: in a full backlog, for each document that ends another one leaves it. One that is read in several turns,
 * because it made room for others, still counts once.
 */
export class Drainage extends Context.Service<
  Drainage,
  {
    /** A document of the tenant has ended. */
    readonly ended: (tenant: TenantId) => Effect.Effect<void>
    /** Nothing of the tenant, or of anybody, waited or ran: idleness does not count as slowness. */
    readonly begin: (tenant?: TenantId) => Effect.Effect<void>
    /** Seconds until the backlog, which holds its limit of `capacity` documents, has a place for this tenant. */
    readonly retryAfter: (scope: "tenant" | "global", tenant: TenantId, capacity: number) => Effect.Effect<number>
    /** Tenants of which something is remembered. */
    readonly size: () => number
  }
>()("sluice/actors/Drainage") {
  static readonly layer = Layer.effect(
    Drainage,
    Effect.gen(function* () {
      const config = yield* EngineConfig
      const registry = yield* TenantRegistry
      const runner = yield* Runner
      const rates = new DrainRates()
      const appointments = { tenant: new Appointments(), global: new Appointments() }

      /** As if the gate were all that holds documents back. */
      const guess = Effect.fnUntraced(function* (tenant: TenantId | undefined) {
        const own = tenant === undefined ? config.globalDocuments : (yield* registry.limits(tenant)).documents
        return (Math.min(own, config.globalDocuments) * 1000) / Math.max(1, runner.meanRunMillis() ?? firstRunMillis)
      })

      return Drainage.of({
        ended: (tenant) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            rates.observe(tenant, now)
            rates.observe(undefined, now)
          }),
        begin: (tenant) => Effect.map(Clock.currentTimeMillis, (now) => rates.begin(tenant, now)),
        retryAfter: Effect.fnUntraced(function* (scope, tenant, capacity) {
          const queue = scope === "tenant" ? tenant : undefined
          const now = yield* Clock.currentTimeMillis
          const perSecond = rates.perSecond(queue, now) ?? (yield* guess(queue))
          // Tenants that wait for the same places share them, however often each of them asks.
          const sharers = scope === "global" ? appointments.global.sharers(tenant, now) : 1
          // Those who come back within one second find no more places than the whole backlog has.
          const millisPerPlace = (1000 * slack * sharers) / Math.min(perSecond, Math.max(1, capacity))
          return appointments[scope].next(tenant, now, millisPerPlace)
        }),
        size: () => rates.size
      })
    })
  )
}
