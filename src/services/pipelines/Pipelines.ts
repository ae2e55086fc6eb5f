import { Context, type Option } from "effect"
import type { PageSelection, PipelineName } from "../../domain/pipeline/Pipeline.ts"
import type { DocumentStage, PageStage, SourceStage } from "./Stage.ts"

/** One stage in a pipeline. A document goes on without an `optional` one that fails, with a warning. */
interface Step<S> {
  readonly stage: S
  readonly optional: boolean
}

export interface PageStep extends Step<PageStage> {
  readonly pages: PageSelection
}

/** The stages that a document goes through, in their order: its file, each of its pages, then the whole. */
export interface Pipeline {
  readonly name: PipelineName
  readonly source: Step<SourceStage> | undefined
  readonly pages: ReadonlyArray<PageStep>
  readonly document: ReadonlyArray<Step<DocumentStage>>
}

/** The pipelines that documents may name. `text`, which only reads, is always there. */
export class Pipelines extends Context.Service<
  Pipelines,
  {
    /** By name. */
    readonly all: ReadonlyArray<Pipeline>
    readonly find: (name: PipelineName) => Option.Option<Pipeline>
  }
>()("sluice/services/pipelines/Pipelines") {}
