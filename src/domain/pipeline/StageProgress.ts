import { Schema } from "effect"
import { examples } from "../Examples.ts"
import { StageKind, StageName, StageVersion } from "./Pipeline.ts"

/** How far a document has come in one stage: numbers of its pages, or 1 for a stage that works on the whole. */
export const StageProgress = Schema.Struct({
  stage: StageName,
  version: StageVersion,
  kind: Schema.optionalKey(StageKind.annotate({ description: "Absent for a stage that is not known any more." })),
  done: Schema.Natural,
  failed: Schema.Natural,
  skipped: Schema.Natural
}).pipe(
  Schema.annotate({ identifier: "StageProgress" }),
  examples({ stage: "ocr", version: "1", kind: "page", done: 28, failed: 1, skipped: 0 })
)
export interface StageProgress extends Schema.Schema.Type<typeof StageProgress> {}
