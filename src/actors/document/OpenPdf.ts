import { Data, Duration, Effect } from "effect"
import { failure } from "../../domain/Failure.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import {
  type EngineUnavailable,
  type HeadWanted,
  type OpenedWithHead,
  PdfEngine,
  PdfEngineError,
  type PdfRef,
  type PdfUnreadable,
  type WorkerDied
} from "../../services/PdfEngine.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { DocumentFailed } from "./FinishDocument.ts"
import { inTurn } from "../gates/GateMetrics.ts"
import { type PageGate, throughPageGate } from "../gates/PageGate.ts"
import { PageScheduler, type Turn } from "../scheduling/PageScheduler.ts"
import { maxConcurrencyPerWorker, openRetry } from "../upkeep/RetryPolicies.ts"
import type { RunTimeBudget } from "./RunTimeBudget.ts"

/** Opening a file with its first pages took too long. It may be the fault of a page. */
class HeadStalled extends Data.TaggedError("HeadStalled")<{}> {}

/** Pages read along with the opening: many a document has no more, and is done with one turn of one worker. */
const headPages = 8
const estimatedOpenMillis = 10

export interface Opening {
  readonly opened: OpenedWithHead
  /** Pages of which one may have ended or held up a worker. */
  readonly suspects: ReadonlyArray<number>
}

const firstPages = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/**
 * Reads the file's structure in a turn of one worker, and some of its first pages with it. If that goes wrong in a way that a
 * page may be to blame for, the file is opened alone, and these pages are left to be read with more care.
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
  const openWith = (head: HeadWanted) =>
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
        scheduler.run({ ...turn, estimatedMillis: estimatedOpenMillis })
      )
    )
  const openAlone = openWith({ pages: 0, concurrency: 1 }).pipe(
    Effect.retry({ schedule: openRetry, while: isWorkerDeath }),
    // Nothing was wanted of the head that could stall.
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
    // Was caught above, which the type does not know.
    Effect.catchTag("HeadStalled", Effect.die),
    Effect.catchTag("PdfEngineError", ({ reason }) => Effect.fail(opening(reason)))
  )
})

const isWorkerDeath = (error: { readonly _tag: string }) =>
  error instanceof PdfEngineError && error.reason._tag === "WorkerDied"

/** What an engine's failure to open the file means for the document. */
const opening = (reason: PdfUnreadable | WorkerDied | EngineUnavailable): DocumentFailed | EngineUnavailable => {
  switch (reason._tag) {
    case "PdfUnreadable":
      return DocumentFailed.of(reason.failure)
    case "WorkerDied":
      return DocumentFailed.of(
        failure(reason.memory ? "RESOURCE_LIMIT" : "CRASHED", `opening the file ended its worker: ${reason.detail}`)
      )
    case "EngineUnavailable":
      return reason
  }
}
