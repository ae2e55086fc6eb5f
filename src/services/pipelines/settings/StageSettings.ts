import { Effect, Schema } from "effect"
import { PageSelection, readingStage, StageName } from "../../../domain/pipeline/Pipeline.ts"
import { workerResource } from "../../../domain/downstream/Usage.ts"
import { CommandStageSettings } from "./CommandStageSettings.ts"
import { HttpStageSettings } from "./HttpStageSettings.ts"
import { TargetStageSettings } from "./TargetStageSettings.ts"

// Stages as they are written, in a file or as values of a program.

export const StageSettings = Schema.Union([HttpStageSettings, CommandStageSettings, TargetStageSettings]).annotate({
  expected: "a stage whose `type` is http, command or target"
})
export type StageSettings = typeof StageSettings.Type

/** Names of what the engine does itself. */
const reserved: ReadonlySet<string> = new Set([readingStage, workerResource])

/** Stages by name. */
export const StagesRecord = Schema.Record(StageName, StageSettings).check(
  Schema.makeFilter((stages) =>
    Object.keys(stages)
      .filter((name) => reserved.has(name))
      .map((name) => ({ path: [name], issue: "this name stands for the reading of pages; another one" }))
  )
)
export type StagesRecord = typeof StagesRecord.Type
export type StagesWritten = Readonly<Record<string, typeof StageSettings.Encoded>>

const decode = Schema.decodeUnknownEffect(StagesRecord, { onExcessProperty: "error", errors: "all" })

/** Decodes what a program gives; unknown names and wrong values are refused. */
export const decodeStages = (written: StagesWritten) => decode(written)

/** One stage in a pipeline. */
export const StepSettings = Schema.Struct({
  stage: StageName,
  pages: Schema.optionalKey(
    PageSelection.annotate({ description: "Of a page stage: the pages that it works on; `all` when absent." })
  ),
  optional: Schema.Boolean.annotate({
    description: "A document goes on without it when it fails, with a warning."
  }).pipe(Schema.withDecodingDefaultKey(Effect.succeed(false)))
})
export interface StepSettings extends Schema.Schema.Type<typeof StepSettings> {}
