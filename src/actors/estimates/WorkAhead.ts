/** The worker time that waiting and running documents still need, as a metric that the number of machines may follow. */
import { Effect, Metric } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"
import { makeTenantLoads } from "./TenantLoads.ts"
import { sumOfMillis } from "./WaitModel.ts"

/** Of page workers, the only pool that there is. */
const gauge = Telemetry.workAhead.of("pages")

/**
 * Returns what records it. Documents of paused tenants that wait, and such as are due later, are not ahead of anything. Without
 * the scope the metric is zero: another process has taken over telling it, and readers add up what all processes tell.
 */
export const makeWorkAheadReport = Effect.gen(function* () {
  const loads = yield* makeTenantLoads
  yield* Effect.addFinalizer(() => Metric.update(gauge, 0))
  return Effect.flatMap(loads, (all) => Metric.update(gauge, sumOfMillis([...all.values()]) / 1000))
})
