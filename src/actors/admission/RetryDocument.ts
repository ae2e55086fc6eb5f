import { Effect, Metric, Option, type Redacted } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import { textPipeline } from "../../domain/pipeline/Pipeline.ts"
import { Pipelines, type Pipeline, stepsOf } from "../../services/pipelines/Pipelines.ts"
import { type RerunOptions, StageUnknown } from "../Ingestion.ts"
import { makeUnusedBlobs } from "../upkeep/UnusedBlobs.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { Events } from "../../services/Events.ts"
import { Documents } from "../../services/store/Documents.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { makeSealed } from "./AcceptDocument.ts"
import { makeAdmissionLimits, makeBacklogLimits } from "./AdmissionLimits.ts"
import { InFlightSubmissions } from "./InFlightSubmissions.ts"

/** The stages that give pages their text. */
const giversOf = ({ pages }: Pipeline) => pages.flatMap(({ stage }) => (stage.provides === "text" ? [stage.name] : []))

/** The stages that matter to a retry. */
const retriedStages = (pipeline: Pipeline | undefined) =>
  pipeline && { givers: giversOf(pipeline), whole: pipeline.document.map(({ stage }) => stage.name) }

/** Queues a document again: for its failed pages, or for one stage. A full backlog refuses it like a submission. */
export const makeRetryDocument = Effect.gen(function* () {
  const documents = yield* Documents
  const events = yield* Events
  const directory = yield* TenantDirectory
  const submissions = yield* InFlightSubmissions
  const backlogLimits = yield* makeBacklogLimits
  const { withinRetryLimits } = yield* makeAdmissionLimits
  const sealed = yield* makeSealed
  const pipelines = yield* Pipelines
  const unusedBlobs = yield* makeUnusedBlobs

  const announce = Effect.fnUntraced(function* (document: Document) {
    const { attempt, id: documentId, tenantId } = document
    yield* Metric.update(Telemetry.documentsRequeued.of("retried"), 1)
    yield* events.publish({ _tag: "DocumentRequeued", tenantId, documentId, attempt })
    yield* directory.tell(tenantId, { _tag: "Wake" })
    return document
  })

  const pipelineOf = (tenant: TenantId, id: DocumentId) =>
    Effect.map(documents.find(tenant, id), ({ pipeline: name = textPipeline }) => ({
      name,
      pipeline: Option.getOrUndefined(pipelines.find(name))
    }))
  const hasStages = pipelines.all.some(({ document, pages }) => document.length > 0 || pages.length > 0)

  const queueAgain = Effect.fnUntraced(function* (
    tenant: TenantId,
    id: DocumentId,
    password: Redacted.Redacted | undefined
  ) {
    const backlog = yield* withinRetryLimits(tenant)
    const pipeline = hasStages ? (yield* pipelineOf(tenant, id)).pipeline : undefined
    const given = { ...(yield* sealed(tenant, password)), ...retriedStages(pipeline) }
    const retried = documents.retry(tenant, id, given, backlog)
    const document = yield* Effect.catchTag(retried, "QueueFull", (full) => backlogLimits.limitReached(tenant, full))
    return yield* announce(document)
  }, Effect.uninterruptible)

  const queueForStage = Effect.fnUntraced(function* (
    tenant: TenantId,
    id: DocumentId,
    { password, stage, version }: RerunOptions
  ) {
    const backlog = yield* withinRetryLimits(tenant)
    const { name, pipeline } = yield* pipelineOf(tenant, id)
    if (pipeline === undefined || !stepsOf(pipeline).some((each) => each.stage.name === stage)) {
      return yield* new StageUnknown({ stage, pipeline: name })
    }
    const givers = giversOf(pipeline)
    const pages = givers.includes(stage)
    const again = { stage, version, pages, later: pages ? givers.slice(givers.indexOf(stage) + 1) : [] }
    const rerun = documents.rerun(tenant, id, again, yield* sealed(tenant, password), backlog)
    const { document, unusedBlobs: unused } = yield* Effect.catchTag(rerun, "QueueFull", (full) =>
      backlogLimits.limitReached(tenant, full)
    )
    yield* announce(document)
    // What is not removed here is found by the collection of unused blobs.
    yield* Effect.ignore(unusedBlobs.removeAll(unused), { log: "Warn" })
    return document
  }, Effect.uninterruptible)

  return {
    retry: Effect.fn("Ingestion.retry")(
      (tenant: TenantId, id: DocumentId, options: { readonly password?: Redacted.Redacted | undefined } = {}) =>
        submissions.track(queueAgain(tenant, id, options.password))
    ),
    rerunStage: Effect.fn("Ingestion.rerunStage")((tenant: TenantId, id: DocumentId, options: RerunOptions) =>
      submissions.track(queueForStage(tenant, id, options))
    )
  }
})
