import { Effect, Metric } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import * as Telemetry from "../../observability/Telemetry.ts"

interface Part {
  readonly entitled: number
  readonly received: number
}

/**
 * Shows the use of some tenants as series of their own: of those that received the most, or that were entitled to the most that
 * they did not receive. Other tenants lose their series, so the number of series stays bounded as tenants come and go.
 */
export const makeUsageGauges = () => {
  let shown: ReadonlySet<string> = new Set()

  return Effect.fnUntraced(function* (parts: ReadonlyMap<TenantId, Part>, fairness: number) {
    const most = ({ entitled, received }: Part) => Math.max(entitled, received)
    const ranked = Array.from(parts)
      .filter(([tenant]) => tenant !== Telemetry.otherTenants)
      .toSorted(([, one], [, other]) => most(other) - most(one))
      .slice(0, Telemetry.tenantsShown)
    const own = new Map<string, Part>(ranked)
    const rest = { entitled: 0, received: 0 }
    for (const [tenant, { entitled, received }] of parts) {
      if (own.has(tenant)) continue
      rest.entitled += entitled
      rest.received += received
    }
    own.set(Telemetry.otherTenants, rest)
    for (const tenant of shown) {
      if (own.has(tenant)) continue
      yield* Metric.remove(Telemetry.shareReceived.series(tenant))
      yield* Metric.remove(Telemetry.shareEntitled.series(tenant))
    }
    for (const [tenant, { entitled, received }] of own) {
      yield* Metric.update(Telemetry.shareReceived.series(tenant), received)
      yield* Metric.update(Telemetry.shareEntitled.series(tenant), entitled)
    }
    shown = new Set(own.keys())
    yield* Metric.update(Telemetry.fairness, fairness)
  })
}
