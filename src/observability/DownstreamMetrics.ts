import type { Metric } from "effect"
import { counter, described, gauge, timer } from "./Metrics.ts"

const byName = { downstream: "a declared downstream" }
type OfName = [downstream: string]
type Timer = ReturnType<ReturnType<typeof timer>>

/** How a try ended: `page_failed` is an answer that says something of the page, `refused` a 429 or 503. */
export const tryOutcomes = ["answered", "page_failed", "refused", "unavailable", "timeout", "interrupted"] as const
export type TryOutcome = (typeof tryOutcomes)[number]

const list = (values: ReadonlyArray<string>) => values.map((value) => `\`${value}\``).join(", ")

export const downstreamDuration = described<[downstream: string, outcome: TryOutcome], Timer>(
  { ...byName, outcome: list(tryOutcomes) },
  timer("sluice_downstream_call_duration_seconds", "One try of a call, from its permit to its end.")
)
export const downstreamWait = described<[downstream: string, kind: "online" | "batch"], Timer>(
  { ...byName, class: "`online`, `batch`" },
  timer("sluice_downstream_wait_seconds", "Time that a call waited for its permit.")
)
export const downstreamInUse = described<OfName, Metric.Gauge<number>>(
  byName,
  gauge("sluice_downstream_in_use", "Calls under way.")
)
export const downstreamLimit = described<OfName, Metric.Gauge<number>>(
  byName,
  gauge("sluice_downstream_limit", "Calls that may be under way at once.")
)
export const downstreamWaiting = described<OfName, Metric.Gauge<number>>(
  byName,
  gauge("sluice_downstream_waiting", "Calls that wait for a permit.")
)
export const downstreamRefusals = described<[downstream: string, kind: string], Metric.Counter<number>>(
  { ...byName, kind: "`far_side` (429 or 503), `queue_full`, `max_wait`, `budget`, `breaker`, `monthly_cap`" },
  counter(
    "sluice_downstream_refusals_total",
    "Calls that were refused: by the far side, or here before they were sent."
  )
)
export const downstreamBreaker = described<OfName, Metric.Gauge<number>>(
  byName,
  gauge("sluice_downstream_breaker_open", "1 while the breaker is open, 0.5 while one call is tried, else 0.")
)
export const downstreamTokens = described<OfName, Metric.Counter<number>>(
  byName,
  counter("sluice_downstream_tokens_total", "Tokens that the downstream reported.")
)
export const downstreamCost = described<OfName, Metric.Counter<number>>(
  byName,
  counter("sluice_downstream_cost_total", "What the downstream reported as cost, in the unit of its budget.")
)
