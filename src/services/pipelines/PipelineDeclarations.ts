/** Makes pipelines of stages and of the declarations that name them, whether these come from a file or from a program. */
import { Effect, Layer, Result, Schema } from "effect"
import {
  PageSelection,
  PipelineName,
  readingStage,
  StageName,
  StageVersion,
  textPipeline
} from "../../domain/pipeline/Pipeline.ts"
import { type AllPipelines, allPipelines, type PageStep, type Pipeline, Pipelines, type Step } from "./Pipelines.ts"
import type { DocumentStage, SourceStage, Stage } from "./Stage.ts"

export const StepDeclaration = Schema.Struct({
  stage: Schema.String.annotate({ description: "The name of a declared or built-in stage." }),
  pages: Schema.optionalKey(
    PageSelection.annotate({
      description:
        "The pages that a page stage works on, judged by the page as the steps before it left it; `all` when absent."
    })
  ),
  optional: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "`true`: when it fails, the document goes on without it, with a warning." })
  )
})
export interface StepDeclaration extends Schema.Schema.Type<typeof StepDeclaration> {}

export interface PipelineDeclaration {
  readonly name: string
  /** In the order in which they run: a source stage, page stages, document stages. */
  readonly steps: ReadonlyArray<StepDeclaration>
}

/** `path` leads to what is wrong: `["pipelines", 0, "steps", 2, "stage"]`, `["stages", 1, "name"]` or `["default"]`. */
const Mistake = Schema.Struct({
  path: Schema.Array(Schema.Union([Schema.String, Schema.Natural])),
  message: Schema.String
})
export interface PipelineMistake extends Schema.Schema.Type<typeof Mistake> {}

/** The declarations contradict themselves, or name what does not exist. Every mistake is listed. */
export class PipelinesInvalid extends Schema.TaggedError<PipelinesInvalid>()("PipelinesInvalid", {
  mistakes: Schema.Array(Mistake)
}) {
  override get message() {
    return this.mistakes.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")
  }
}

/** What is known of a stage without what it does. */
export type StageOutline = Pick<Stage, "kind" | "name" | "needs" | "version">

type Tell = (path: ReadonlyArray<string | number>, message: string) => void

const order = { source: 0, page: 1, document: 2 } as const
const places = {
  source: "a source stage is the first step, and there is only one",
  page: "page stages come before document stages",
  document: ""
} as const

/** The stages by name. */
const checkStages = <S extends StageOutline>(stages: ReadonlyArray<S>, tell: Tell): ReadonlyMap<string, S> => {
  const byName = new Map<string, S>()
  for (const [index, stage] of stages.entries()) {
    const { name, version } = stage
    if (!Schema.is(StageName)(name)) tell(["stages", index, "name"], `${JSON.stringify(name)} is no name of a stage`)
    if (!Schema.is(StageVersion)(version))
      tell(["stages", index, "version"], `${JSON.stringify(version)} is no version`)
    if (name === readingStage) tell(["stages", index, "name"], `${name} is the reading of pages itself`)
    if (byName.has(name)) tell(["stages", index, "name"], `there are two stages ${name}`)
    byName.set(name, stage)
  }
  return byName
}

/** What is wrong with the stage at this place, behind those that come before it in the pipeline. */
const misplaced = (stage: StageOutline, before: ReadonlyArray<StageOutline>): string | undefined => {
  if (before.some(({ name }) => name === stage.name)) return `${stage.name} is there twice`
  const last = before.at(-1)
  const isLate = last !== undefined && (order[last.kind] > order[stage.kind] || stage.kind === "source")
  if (isLate) return `${stage.name}: ${places[stage.kind]}`
  const names = new Set<string>([readingStage, ...before.map(({ name }) => name)])
  const missing = stage.needs.filter((need) => !names.has(need))
  return missing.length === 0 ? undefined : `${stage.name} needs ${missing.join(" and ")} before it`
}

interface Placed<S> {
  readonly stage: S
  readonly step: StepDeclaration
}

/** The steps of a pipeline with their stages, as far as there are such. */
const placesOf = <S extends StageOutline>(
  { steps }: PipelineDeclaration,
  path: ReadonlyArray<string | number>,
  stages: ReadonlyMap<string, S>,
  tell: Tell
): ReadonlyArray<Placed<S>> => {
  const placed: Array<Placed<S>> = []
  for (const [index, step] of steps.entries()) {
    const at = [...path, "steps", index]
    const stage = stages.get(step.stage)
    if (stage === undefined) {
      tell([...at, "stage"], `there is no stage ${JSON.stringify(step.stage)}`)
      continue
    }
    const before = placed.map(({ stage }) => stage)
    const wrong = misplaced(stage, before)
    if (wrong !== undefined) tell([...at, "stage"], wrong)
    if (step.pages !== undefined && stage.kind !== "page") {
      tell(
        [...at, "pages"],
        `${stage.name} works on the ${stage.kind === "source" ? "file" : "document"}, not on pages`
      )
    }
    if (step.optional === true && stage.kind === "source") {
      tell([...at, "optional"], `without ${stage.name} there is nothing to read`)
    }
    placed.push({ stage, step })
  }
  return placed
}

const check = <S extends StageOutline>(
  stages: ReadonlyArray<S>,
  declared: ReadonlyArray<PipelineDeclaration>,
  defaultName: PipelineName
) => {
  const mistakes: Array<PipelineMistake> = []
  const tell: Tell = (path, message) => mistakes.push({ path, message })
  const byName = checkStages(stages, tell)
  const names = new Set<string>([textPipeline])
  const pipelines = declared.map((declaration, index) => {
    const path = ["pipelines", index]
    const { name } = declaration
    if (!Schema.is(PipelineName)(name)) tell([...path, "name"], `${JSON.stringify(name)} is no name of a pipeline`)
    else if (name === textPipeline)
      tell([...path, "name"], `${name} is the pipeline that only reads; choose another name`)
    else if (names.has(name)) tell([...path, "name"], `there are two pipelines ${name}`)
    names.add(name)
    return { name, placed: placesOf(declaration, path, byName, tell) }
  })
  if (!names.has(defaultName)) tell(["default"], `there is no pipeline ${JSON.stringify(defaultName)}`)
  return { mistakes, pipelines }
}

/** What is wrong with the declarations, as far as it is known without the stages themselves. */
export const declarationMistakes = (
  stages: ReadonlyArray<StageOutline>,
  declared: ReadonlyArray<PipelineDeclaration>,
  defaultName: PipelineName = textPipeline
): ReadonlyArray<PipelineMistake> => check(stages, declared, defaultName).mistakes

const pipelineOf = (name: string, placed: ReadonlyArray<Placed<Stage>>): Pipeline => {
  let source: Step<SourceStage> | undefined
  const pages: Array<PageStep> = []
  const document: Array<Step<DocumentStage>> = []
  for (const { stage, step } of placed) {
    const optional = step.optional ?? false
    if (stage.kind === "source") source = { stage, optional }
    else if (stage.kind === "page") pages.push({ stage, optional, pages: step.pages ?? "all" })
    else document.push({ stage, optional })
  }
  return { name: PipelineName.make(name), source, pages, document }
}

/** Makes the declared pipelines of these stages, or lists every mistake. `defaultName`: for documents that name none. */
export const makePipelines = (
  stages: ReadonlyArray<Stage>,
  declared: ReadonlyArray<PipelineDeclaration>,
  defaultName: PipelineName = textPipeline
): Result.Result<AllPipelines, PipelinesInvalid> => {
  const { mistakes, pipelines } = check(stages, declared, defaultName)
  return mistakes.length > 0
    ? Result.fail(new PipelinesInvalid({ mistakes }))
    : Result.succeed(
        allPipelines(
          pipelines.map(({ name, placed }) => pipelineOf(name, placed)),
          stages,
          defaultName
        )
      )
}

/** The pipelines of a program: its stages as values, and what it declares of them. */
export const layer = (
  stages: ReadonlyArray<Stage>,
  declared: ReadonlyArray<PipelineDeclaration>,
  defaultName?: PipelineName
) =>
  Layer.effect(
    Pipelines,
    Effect.suspend(() => Effect.fromResult(makePipelines(stages, declared, defaultName)))
  )
