// The stages and pipelines of a service: those that are built in, and those that `PIPELINES_FILE` declares.
import { Config, Effect, Layer } from "effect"
import { PipelineName, StageName, StageVersion, textPipeline } from "../domain/pipeline/Pipeline.ts"
import { DownstreamsConfig } from "../services/downstreams/DownstreamsConfig.ts"
import { makePipelines } from "../services/pipelines/PipelineDeclarations.ts"
import { Pipelines } from "../services/pipelines/Pipelines.ts"
import type { Stage } from "../services/pipelines/Stage.ts"
import { withOwnDownstreams } from "../services/pipelines/settings/StageDownstreams.ts"
import { builtInDownstreams } from "./config/OcrConfig.ts"
import { besides, type BuiltIn, declarationsOf, type PipelinesFile, pipelinesFromEnv } from "./config/PipelinesFile.ts"
import { ocrPipeline, ocrStages } from "./ocr/OcrStages.ts"
import { searchOutlines, searchPipelines, searchStages } from "./search/SearchStages.ts"
import { stagesFrom } from "./stages/StagesFrom.ts"

/** The pipeline of documents that name none. */
export const defaultPipeline = Config.schema(PipelineName, "PIPELINE").pipe(Config.withDefault(textPipeline))

/** What may be built in. Whether it is, is known once the stages are made. */
export const possible: BuiltIn = {
  stages: [
    { name: StageName.make(ocrPipeline.name), version: StageVersion.make("1"), kind: "page", needs: [] },
    ...searchOutlines
  ],
  pipelines: [ocrPipeline, ...searchPipelines]
}

/** All downstreams: what the file declares, what its stages have of their own, and what is built in. */
export const layerDownstreams = Layer.effect(
  DownstreamsConfig,
  Effect.gen(function* () {
    const { downstreams = {}, stages = {} }: PipelinesFile = yield* pipelinesFromEnv(possible)
    return withOwnDownstreams(stages, { ...(yield* builtInDownstreams), ...downstreams })
  })
)

/** All pipelines. A stage or pipeline of the file takes the place of a built-in one of its name. */
export const layer = Layer.effect(
  Pipelines,
  Effect.gen(function* () {
    const recognising = yield* ocrStages
    const own: ReadonlyArray<Stage> = [...recognising, ...(yield* searchStages)]
    const pipelines = [...(recognising.length > 0 ? [ocrPipeline] : []), ...searchPipelines]
    const file: PipelinesFile = yield* pipelinesFromEnv({ stages: own, pipelines })
    const stages = [...besides(own, file.stages), ...(yield* stagesFrom(file.stages ?? {}))]
    const declared = [...besides(pipelines, file.pipelines), ...declarationsOf(file)]
    return yield* Effect.fromResult(makePipelines(stages, declared, yield* defaultPipeline))
  })
)
