import { labelled, timer } from "./Metrics.ts"

/** How a search ended: `degraded` went without a part that was wanted, `busy` got no place, `late` no answer in time. */
export const searchOutcomes = ["hybrid", "keyword", "degraded", "busy", "late", "failed"] as const
export type SearchOutcome = (typeof searchOutcomes)[number]

export const searchDuration = labelled(
  "outcome",
  searchOutcomes,
  timer("sluice_search_duration_seconds", "One search, from its arrival to its answer, waiting for its place included.")
)
