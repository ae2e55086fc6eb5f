import { Cause, Clock, Duration, Effect, Exit, Metric, Option, Random, Result } from "effect"
import { type Failure, failure, type FailureCode } from "../../domain/Failure.ts"
import type { StageName } from "../../domain/pipeline/Pipeline.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import type { DownstreamFailure, Downstreams } from "../../services/downstreams/Downstreams.ts"
import { Pipelines, type Step } from "../../services/pipelines/Pipelines.ts"
import { type Stage, StageError, type StageFailure } from "../../services/pipelines/Stage.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { pageFailureBudget } from "../retries/RetryPolicies.ts"
import type { StageCalls, Withdrawn } from "./StageCalls.ts"

/** How a stage ended for good. `by`: the stage that did the work in its place. */
export type StageEnd<O> =
  | { readonly _tag: "Done"; readonly output: O; readonly by?: StageName }
  | { readonly _tag: "Skipped"; readonly error: Failure }
  | { readonly _tag: "Failed"; readonly error: Failure }

export type Timed<A> = A & { readonly elapsedMillis: number }

/** What one stage does with one file, page or document. */
export interface StageRun<S extends Stage, O> {
  readonly step: Step<S>
  /** Shown in the log: `page 3`. */
  readonly of: string
  readonly run: (stage: S) => Effect.Effect<O, StageFailure, Downstreams>
  readonly calls: StageCalls
}

/** Codes with which waiting is in vain, or would last for weeks. */
const endless: ReadonlySet<FailureCode> = new Set(["DOWNSTREAM_UNKNOWN", "MONTHLY_CAP_REACHED"])
const firstRestMillis = 1_000
const longestRestMillis = 60_000
const betweenTriesMillis = 50

const said = (stage: Stage, { code, message }: { readonly code: FailureCode; readonly message: string }): Failure =>
  failure(code, message.startsWith("the stage ") ? message : `the stage ${stage.name}: ${message}`)

/** Runs the stage once. A defect is a failure of the stage, and of nothing else. */
const once = <S extends Stage, O>({ calls, of, run }: StageRun<S, O>, stage: S) =>
  calls.run(run(stage)).pipe(
    Effect.exit,
    Effect.flatMap((exit): Effect.Effect<O, StageFailure | Withdrawn> => {
      if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
      const known = Cause.findErrorOption(exit.cause)
      if (Option.isSome(known)) return Effect.fail(known.value)
      return Effect.andThen(
        Effect.logError(`the stage ${stage.name} died on ${of}`, exit.cause),
        StageError.of("STAGE_FAILED", "it died of a defect; see the log")
      )
    })
  )

const restMillis = Effect.fnUntraced(function* (waits: number, { retryAfterMillis }: DownstreamFailure) {
  const wanted = retryAfterMillis ?? firstRestMillis * 2 ** Math.min(waits, 10)
  const jitter = 0.8 + 0.4 * (yield* Random.next)
  return Math.max(betweenTriesMillis, Math.min(longestRestMillis, wanted) * jitter)
})

/** The stage of the same kind that the settings of a downstream name. */
const replacement = <S extends Stage>(stages: ReadonlyArray<Stage>, stage: S, name: string): S | undefined => {
  const isLike = (other: Stage): other is S =>
    other.kind === stage.kind && (other.kind !== "page" || (stage.kind === "page" && other.provides === stage.provides))
  return stages.filter(isLike).find((other) => other.name === name)
}

/**
 * Runs one stage until it has done its work, or will not do it. A failure that may pass costs one of its tries; what a
 * downstream refuses or is not there for costs none, and becomes what the downstream's `onExhausted` says.
 */
const settle = Effect.fnUntraced(function* <S extends Stage, O>(
  asked: StageRun<S, O>
): Effect.fn.Return<StageEnd<O>, StoreUnavailable | Withdrawn, Downstreams> {
  const { stages } = yield* Pipelines
  const { calls, step } = asked
  const end = (error: Failure): StageEnd<O> => ({ _tag: step.optional ? "Skipped" : "Failed", error })
  const used = new Set<StageName>([step.stage.name])
  let stage = step.stage
  let failures = 0
  for (let waits = 0; ;) {
    const result = yield* Effect.result(once(asked, stage))
    if (Result.isSuccess(result)) {
      return { _tag: "Done", output: result.success, ...(stage === step.stage ? {} : { by: stage.name }) }
    }
    const error = result.failure
    if (error._tag === "StoreUnavailable" || error._tag === "Withdrawn") return yield* error
    if (error._tag === "StageError" || error.costsRetry) {
      const why = said(stage, error._tag === "StageError" ? error.failure : error)
      const again = error._tag === "DownstreamFailure" || error.again
      if (!again || ++failures >= pageFailureBudget) return end(why)
      yield* Effect.logInfo(why.message)
      yield* Effect.sleep(betweenTriesMillis * 2 ** failures)
      continue
    }
    const why = said(stage, error)
    const { onExhausted } = error
    if (onExhausted === "skip") return { _tag: "Skipped", error: why }
    if (onExhausted === "wait" && !endless.has(error.code)) {
      yield* calls.rest(error.downstream, yield* restMillis(waits++, error))
      continue
    }
    const other = onExhausted.startsWith("use:") ? replacement(stages, stage, onExhausted.slice(4)) : undefined
    if (other === undefined || used.has(other.name)) return end(why)
    yield* Effect.logInfo(`${why.message}; ${other.name} is used instead`)
    used.add(other.name)
    stage = other
  }
})

const outcomeName = <O>(exit: Exit.Exit<StageEnd<O>, unknown>) => {
  if (Exit.isFailure(exit)) return "withdrawn"
  const { value } = exit
  if (value._tag === "Done") return value.by === undefined ? "done" : "replaced"
  return value._tag === "Skipped" ? "skipped" : "failed"
}

/** Runs one stage to its end, and measures it. */
export const runStage = Effect.fnUntraced(function* <S extends Stage, O>(asked: StageRun<S, O>) {
  const { name, version } = asked.step.stage
  const begun = yield* Clock.currentTimeMillis
  const millis = Effect.map(Clock.currentTimeMillis, (now) => now - begun)
  const end = yield* settle(asked).pipe(
    Effect.onExit((exit) =>
      Effect.flatMap(millis, (took) =>
        Metric.update(Telemetry.stageDuration.series(name, outcomeName(exit)), Duration.millis(took))
      )
    ),
    Effect.withSpan("Stage.run", { attributes: { "stage.name": name, "stage.version": version } })
  )
  if (end._tag !== "Done") yield* Effect.logInfo(end.error.message)
  const timed: Timed<StageEnd<O>> = { ...end, elapsedMillis: yield* millis }
  return timed
})
