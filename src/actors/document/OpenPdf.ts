import { Data, Duration, Effect } from "effect"
import { failure } from "../../domain/Failure.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import {
  EngineUnavailable,
  type HeadRequest,
  type OpenedWithHead,
  PdfEngine,
  PdfEngineError,
  type PdfRef
} from "../../services/PdfEngine.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { DocumentFailed } from "./FinishDocument.ts"
import { inTurn } from "../gates/GateMetrics.ts"
import { type PageGate, throughPageGate } from "../gates/PageGate.ts"
import { PageScheduler, type Turn } from "../scheduling/PageScheduler.ts"
import { openRetry, poolRetry } from "../retries/RetryPolicies.ts"
import { maxConcurrencyPerWorker } from "../scheduling/RangeSizer.ts"
import type { RunTimeBudget } from "./RunTimeBudget.ts"

/** The opening of a file with its first pages took too long. One of the pages may be the cause. */
class HeadStalled extends Data.TaggedError("HeadStalled")<{}> {}

/** Pages read along with the opening: a short document then takes only one turn of one worker. */
const headPages = 8
const estimatedOpenMillis = 10

export interface Opening {
  readonly opened: OpenedWithHead
  /** Pages of which one may have crashed or stalled a worker. */
  readonly suspects: ReadonlyArray<number>
}

const firstPages = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/**
 * Reads the file's structure and its first pages in one turn of one worker. If that fails in a way that a page may have
 * caused, the file is opened without pages, and these pages become suspects.
 */
export const openPdf = TraceContext.traced(
  "DocumentActor.open",
  (pdf: PdfRef, turn: Omit<Turn, "estimatedMillis">, budget: RunTimeBudget, pageGate: PageGate) =>
    openInTurn(pdf, turn, budget, pageGate)
)

const openInTurn = Effect.fnUntraced(function* (
  pdf: PdfRef,
  turn: Omit<Turn, "estimatedMillis">,
  budget: RunTimeBudget,
  pageGate: PageGate
) {
  const { pageTimeout } = yield* EngineConfig
  const engine = yield* PdfEngine
  const scheduler = yield* PageScheduler
  const pageMillis = Duration.toMillis(pageTimeout)
  const openWith = (head: HeadRequest) =>
    Effect.clockWith((clock) =>
      Effect.suspend(() => engine.open(pdf, head)).pipe(
        Effect.trackDuration(Telemetry.openDuration),
        Effect.tapErrorTag("PdfEngineError", Telemetry.countEngineError),
        budget.runWithin({
          millis: pageMillis,
          orElse: (): Effect.Effect<never, HeadStalled | DocumentFailed> => {
            if (head.pages > 0) return Effect.fail(new HeadStalled())
            const message = `the file could not be opened within ${Duration.format(pageTimeout)}`
            return Effect.fail(DocumentFailed.of(failure("DOCUMENT_TIMEOUT", message)))
          }
        }),
        inTurn(clock.currentTimeMillisUnsafe()),
        scheduler.run({ ...turn, estimatedMillis: estimatedOpenMillis, document: { key: pdf.key, millisLeft: 0 } }),
        // The file is not to blame: it is opened by another runner.
        Effect.retry({ schedule: poolRetry, while: isPoolLost })
      )
    )
  const openAlone = openWith({ pages: 0, concurrency: 1 }).pipe(
    Effect.retry({ schedule: openRetry, while: isWorkerDeath }),
    // No page is read with this opening, so none can stall it.
    Effect.catchTag("HeadStalled", Effect.die),
    Effect.map((opened): Opening => ({ opened, suspects: firstPages(Math.min(headPages, opened.pageCount)) }))
  )
  return yield* throughPageGate(pageGate, Math.min(maxConcurrencyPerWorker, pageGate.limit()), (permits) =>
    openWith({ pages: headPages, concurrency: permits })
  ).pipe(
    Effect.map((opened): Opening => ({ opened, suspects: opened.suspects ?? [] })),
    Effect.catchIf(
      (error) => error._tag === "HeadStalled" || isWorkerDeath(error),
      () => openAlone
    ),
    // Caught above already, but the type does not show it.
    Effect.catchTag("HeadStalled", Effect.die),
    Effect.catchTag("PdfEngineError", ({ reason }) => Effect.fail(opening(reason)))
  )
})

const isWorkerDeath = (error: { readonly _tag: string }) =>
  error instanceof PdfEngineError && error.reason._tag === "WorkerDied"

const isPoolLost = (error: { readonly _tag: string }) =>
  error instanceof PdfEngineError && error.reason._tag === "PoolLost"

/** The error of the document when the PDF engine cannot open its file. */
const opening = (reason: PdfEngineError["reason"]): DocumentFailed | EngineUnavailable => {
  switch (reason._tag) {
    case "PdfUnreadable":
      return DocumentFailed.of(reason.failure)
    case "WorkerDied":
      return DocumentFailed.of(
        failure(reason.memory ? "RESOURCE_LIMIT" : "CRASHED", `opening the file ended its worker: ${reason.detail}`)
      )
    case "EngineUnavailable":
      return reason
    case "PoolLost":
      return new EngineUnavailable({ detail: reason.message })
  }
}
