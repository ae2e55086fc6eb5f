import { Effect } from "effect"
import { failure } from "../../domain/Failure.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { Downstreams } from "../../services/downstreams/Downstreams.ts"
import type { Pipeline, Step } from "../../services/pipelines/Pipelines.ts"
import type { Stage, StageContent, StageSubject } from "../../services/pipelines/Stage.ts"
import type { Claim } from "../../services/store/Claim.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { GlobalPermit } from "../gates/Preemption.ts"
import { runStage, type StageEnd, type StageRun, type Timed } from "./RunStage.ts"
import { retryingPaid } from "../retries/RetryPolicies.ts"
import { SchedulerClosed } from "../scheduling/PageScheduler.ts"
import type { SavePages } from "../document/SavePages.ts"
import { Withdrawn } from "./StageCalls.ts"
import { makeStageStop, type StopReason } from "./StageStop.ts"
import { StageWaits } from "./StageWaits.ts"
import { makeStoredArtifacts } from "./artifacts/StoredArtifacts.ts"
import { type MadeArtifact, makeWriteArtifacts } from "./artifacts/WriteArtifacts.ts"

export interface WithContent {
  readonly content: StageContent
}

/** Content beyond the limit is not kept: the stage has failed. */
const bounded = <O extends WithContent>(
  end: Timed<StageEnd<O>>,
  { optional, stage }: Step<Stage>,
  most: number
): Timed<StageEnd<O>> => {
  if (end._tag !== "Done" || end.output.content.bytes.length <= most) return end
  const size = end.output.content.bytes.length
  const error = failure("ARTIFACT_TOO_LARGE", `the stage ${stage.name}: it made ${size} bytes; the limit is ${most}`)
  return { _tag: optional ? "Skipped" : "Failed", error, elapsedMillis: end.elapsedMillis }
}

const failuresBefore = ({ artifacts }: Claim) => artifacts.reduce((sum, { failed }) => sum + failed, 0)

/**
 * What the stages of one run of a document share: what is stored of them, how they are stopped, and how they write. Until the
 * scope ends.
 */
export const makeStagedRun = Effect.fnUntraced(function* (
  claim: Claim,
  pipeline: Pipeline,
  permit: GlobalPermit,
  closing: Effect.Effect<void>
) {
  const { document, fence } = claim
  const { artifactSize } = yield* EngineConfig
  const most = Number(artifactSize)
  const queue = yield* DocumentQueue
  const downstreams = yield* Downstreams
  const stop = yield* makeStageStop(permit, closing)
  const stored = yield* makeStoredArtifacts(claim)
  const writeOnce = yield* makeWriteArtifacts
  const onWaiting = (yield* StageWaits).of(document.id)
  let failures = 0
  permit.countsSaves()

  const run = <S extends Stage, O>(step: Step<S>, of: string, work: StageRun<S, O>["run"]) =>
    stop
      .during(onWaiting, (calls) => runStage({ step, of, run: work, calls }))
      .pipe(Effect.provideService(Downstreams, downstreams))

  /** Notes what was written: it is not made again, and what failed for good is counted. */
  const written = (made: ReadonlyArray<MadeArtifact>) => {
    for (const { page, stage, status, version } of made) {
      stored.note(page, stage, version, status)
      if (status === "failed") failures++
    }
    permit.saved()
  }

  /** Waits for the store for as long as the document may run: another run would have the stages do their work again. */
  const kept = <A, E extends { readonly _tag: string }, R>(writing: Effect.Effect<A, E, R>) =>
    retryingPaid(writing, () => stop.reason === undefined)
  const write: typeof writeOnce = (made, commit) => kept(writeOnce(made, commit))

  const subject: StageSubject = {
    tenant: document.tenantId,
    document: document.id,
    name: document.name,
    priority: document.priority
  }

  return {
    claim,
    pipeline,
    permit,
    subject,
    stop,
    stored,
    /** Runs a stage whose output is not an artifact. */
    run,
    /** Runs a stage that makes an artifact. */
    runBounded: <S extends Stage, O extends WithContent>(step: Step<S>, of: string, work: StageRun<S, O>["run"]) =>
      Effect.map(run(step, of, work), (end) => bounded(end, step, most)),
    saveArtifacts: (made: ReadonlyArray<MadeArtifact>) =>
      Effect.andThen(
        write(made, (artifacts) => queue.saveArtifacts(fence, artifacts)),
        Effect.sync(() => written(made))
      ),
    /** A page and what its stages made, in one commit. */
    savePage: (page: PageResult, made: ReadonlyArray<MadeArtifact>, save: SavePages) =>
      Effect.andThen(
        write(made, (artifacts) => save([page], artifacts)),
        Effect.sync(() => written(made))
      ),
    kept,
    /** Artifacts that failed for good, also in earlier runs. */
    failures: () => failuresBefore(claim) + failures,
    /** Fails with the reason of the stop where a stage was withdrawn. */
    notWithdrawn: <A, E, R>(work: Effect.Effect<A, E, R>) =>
      Effect.catchIf(
        work,
        (error): error is Extract<E, Withdrawn> => error instanceof Withdrawn,
        (): Effect.Effect<never, StopReason> => Effect.fail(stop.reason ?? new SchedulerClosed())
      )
  }
})

export type StagedRun = Effect.Success<ReturnType<typeof makeStagedRun>>
