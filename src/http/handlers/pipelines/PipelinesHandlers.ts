import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type Pipeline, Pipelines, type PageStep, type Step } from "../../../services/pipelines/Pipelines.ts"
import type { Stage } from "../../../services/pipelines/Stage.ts"
import { Api } from "../../api/Api.ts"
import type { PipelineList } from "../../api/pipelines/Pipelines.ts"

type StepView = (typeof PipelineList.Type)["pipelines"][number]["stages"][number]

const stepView = ({ optional, stage }: Step<Stage>): StepView => ({
  stage: stage.name,
  version: stage.version,
  kind: stage.kind,
  optional,
  needs: stage.needs,
  ...(stage.downstream === undefined ? {} : { downstream: stage.downstream })
})

const pageStepView = (step: PageStep): StepView => ({
  ...stepView(step),
  provides: step.stage.provides,
  pages: step.pages
})

const viewOf = ({ document, name, pages, source }: Pipeline) => ({
  name,
  stages: [...(source === undefined ? [] : [stepView(source)]), ...pages.map(pageStepView), ...document.map(stepView)]
})

export const PipelinesHandlers = HttpApiBuilder.group(
  Api,
  "pipelines",
  Effect.fn(function* (handlers) {
    const pipelines = yield* Pipelines
    const list = { default: pipelines.default, pipelines: pipelines.all.map(viewOf) }
    return handlers.handle("list", () => Effect.succeed(list))
  })
)
