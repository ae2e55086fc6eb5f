import { Effect } from "effect"
import { failure } from "../../domain/Failure.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { PipelineName } from "../../domain/pipeline/Pipeline.ts"
import { Pipelines } from "../../services/pipelines/Pipelines.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { SubmissionRejected } from "../Ingestion.ts"

/** Finds the pipeline of a submission: the one it names, or else the tenant's, or else the engine's. */
export const makePipelineFor = Effect.gen(function* () {
  const pipelines = yield* Pipelines
  const registry = yield* TenantRegistry

  return Effect.fnUntraced(function* (tenant: TenantId, named: PipelineName | undefined) {
    const name = named ?? (yield* registry.limits(tenant)).pipeline ?? pipelines.default
    const found = pipelines.find(name)
    if (found._tag === "Some") return found.value
    return yield* new SubmissionRejected({ failure: failure("PIPELINE_UNKNOWN", `there is no pipeline ${name}`) })
  })
})
