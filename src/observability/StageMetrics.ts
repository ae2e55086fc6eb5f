import { described, timer } from "./Metrics.ts"

/** How the run of a stage ended: `replaced` means that another stage did its work, `withdrawn` that a later run does it. */
export const stageOutcomes = ["done", "replaced", "skipped", "failed", "withdrawn"] as const
export type StageOutcomeName = (typeof stageOutcomes)[number]

export const stageDuration = described<
  [stage: string, outcome: StageOutcomeName],
  ReturnType<ReturnType<typeof timer>>
>(
  { stage: "a declared stage", outcome: stageOutcomes.map((value) => `\`${value}\``).join(", ") },
  timer("sluice_stage_duration_seconds", "One run of a stage on a file, page or document, waiting included.")
)
