import { Context, Option } from "effect"
import { type PageSelection, type PipelineName, textPipeline } from "../../domain/pipeline/Pipeline.ts"
import type { DocumentStage, PageStage, SourceStage, Stage } from "./Stage.ts"

/** One stage in a pipeline. A document goes on without an `optional` one that fails, with a warning. */
export interface Step<S> {
  readonly stage: S
  readonly optional: boolean
}

export interface PageStep extends Step<PageStage> {
  /** Judged by the page as the steps before it left it. */
  readonly pages: PageSelection
}

/** The stages that a document goes through, in their order: its file, each of its pages, then the whole. */
export interface Pipeline {
  readonly name: PipelineName
  readonly source: Step<SourceStage> | undefined
  readonly pages: ReadonlyArray<PageStep>
  readonly document: ReadonlyArray<Step<DocumentStage>>
}

/** All steps in their order. */
export const stepsOf = ({ document, pages, source }: Pipeline): ReadonlyArray<Step<Stage>> => [
  ...(source === undefined ? [] : [source]),
  ...pages,
  ...document
]

export interface AllPipelines {
  /** In the order of their declarations; `text` is the first. */
  readonly all: ReadonlyArray<Pipeline>
  readonly find: (name: PipelineName) => Option.Option<Pipeline>
  /** For documents that name none, of tenants that have none of their own. */
  readonly default: PipelineName
  /** Every stage that is known, also those of no pipeline: `use:<stage>` may name them. */
  readonly stages: ReadonlyArray<Stage>
}

const onlyText: Pipeline = { name: textPipeline, source: undefined, pages: [], document: [] }

/** These pipelines, and `text`. */
export const allPipelines = (
  declared: ReadonlyArray<Pipeline>,
  stages: ReadonlyArray<Stage>,
  defaultName: PipelineName = textPipeline
): AllPipelines => {
  const all = [onlyText, ...declared]
  const byName = new Map(all.map((pipeline) => [pipeline.name, pipeline]))
  return { all, find: (name) => Option.fromUndefinedOr(byName.get(name)), default: defaultName, stages }
}

/** The pipelines that documents may name. `text`, which only reads, is always there; there are no others unless a layer gives them. */
export const Pipelines = Context.Reference<AllPipelines>("sluice/services/pipelines/Pipelines", {
  defaultValue: () => allPipelines([], [])
})
