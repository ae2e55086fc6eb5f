import { Cause, DateTime, Duration, Effect, Exit, Metric, Option } from "effect"
import { type Failure, failure } from "../../domain/Failure.ts"
import type { Document } from "../../domain/document/Document.ts"
import { isFailed, type PageResult } from "../../domain/document/Page.ts"
import type { Claim, PageFaults } from "../../services/store/Claim.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { WholeDocument } from "../../services/store/Outcome.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { Events } from "../../services/Events.ts"
import { type Pipeline, Pipelines } from "../../services/pipelines/Pipelines.ts"
import { PdfEngine, type PdfRef } from "../../services/PdfEngine.ts"
import * as Log from "../../observability/Log.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { DocumentFailed, type Ending, failedWith, finishDocument } from "./FinishDocument.ts"
import { openPdf, type Opening } from "./OpenPdf.ts"
import { type ReadPages, readPages } from "./ReadPages.ts"
import { readThroughStages } from "./ReadThroughStages.ts"
import { locate } from "./LocateBytes.ts"
import type { PageGate } from "../gates/PageGate.ts"
import { runDocumentStages } from "../stages/DocumentStages.ts"
import { hasStages, wantsAny } from "../stages/Selection.ts"
import { sourcePdf } from "../stages/SourceStage.ts"
import { makeStagedRun, type StagedRun } from "../stages/StagedRun.ts"
import { retryingStore } from "../retries/RetryPolicies.ts"
import type { GlobalPermit } from "../gates/Preemption.ts"
import { makeSavePages, type Subject } from "./SavePages.ts"
import { type RunTimeBudget, RunTimeBudgets } from "./RunTimeBudget.ts"
import { noFaults } from "./SuspectPages.ts"

/**
 * One run of one document, from a claim to its terminal state: fetch the bytes if they lie elsewhere, open, fan out the
 * pages that have no result yet, finish. If its pipeline has stages, they make the PDF before it is opened, work on pages when
 * these were read, and on the document when all have their results. Everything it writes is fenced by the claim's attempt.
 *
 * - Something wrong with the file ends it as `failed`, with a typed reason.
 * - A defect ends it as `failed` with `CRASHED`; the tenant's actor goes on.
 * - If its permit is requested for another tenant, or the run is interrupted, or the engine stops, or the store stays
 *   unavailable, the document goes back to the head of its queue and keeps its pages.
 * - After a lost lease the run ends and writes nothing: another runner, or a cancel, decides the document's state.
 */

/**
 * What a run gets from its tenant's actor: the permit it runs under, and the limit on its pages.
 */
export interface Grant {
  readonly permit: GlobalPermit
  readonly pageGate: PageGate
  /** Succeeds when the engine is stopping. */
  readonly closing: Effect.Effect<void>
}

/** How a run ended. `unavailable`: a service that the run needs was unavailable, and the document waits again. */
export type RunEnd = "ended" | "given back" | "preempted" | "unavailable"

/** Runs the document as a part of the trace of the request that submitted it. */
export const runDocument = (claim: Claim, grant: Grant) => {
  const { trace } = claim.document
  return trace === undefined
    ? run(claim, grant)
    : Effect.andThen(tellQueued(claim), run(claim, grant)).pipe(TraceContext.continuing(trace))
}

const tellQueued = ({ document: { timings }, fence }: Claim) => {
  if (fence.attempt > 1) return Effect.void
  const { acceptedAt, notBefore = acceptedAt, startedAt = notBefore } = timings
  const due = Math.max(DateTime.toEpochMillis(acceptedAt), DateTime.toEpochMillis(notBefore))
  return TraceContext.past("DocumentActor.queued", due, DateTime.toEpochMillis(startedAt))
}

/** What the steps of one run share. */
interface Run {
  readonly claim: Claim
  readonly grant: Grant
  readonly subject: Subject
  readonly budget: RunTimeBudget
}

const run = TraceContext.traced("DocumentActor.run", (claim: Claim, grant: Grant) => runAttempt(claim, grant))

const runAttempt = Effect.fnUntraced(function* (claim: Claim, grant: Grant) {
  const events = yield* Events
  const budgets = yield* RunTimeBudgets
  const { documentTimeout } = yield* EngineConfig
  const { fence, document } = claim
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const current: Run = { claim, grant, subject, budget: budgets.of(fence) }
  const attributes = Telemetry.documentAttributes({ ...subject, attempt: fence.attempt })
  yield* Effect.annotateCurrentSpan(attributes)
  yield* events.publish({ _tag: "DocumentStarted", ...subject, attempt: fence.attempt })
  yield* Log.line("Info", "document started", () => attributes)

  const giveUp = (error: unknown) =>
    Effect.logWarning(error).pipe(Effect.andThen(giveBack(current, "unavailable")), Effect.as<RunEnd>("unavailable"))

  return yield* readDocument(current).pipe(
    Effect.catchTags({
      RunTimeExceeded: () => {
        const message = `reading took more than ${Duration.format(documentTimeout)}`
        return Effect.succeed(failedWith(failure("DOCUMENT_TIMEOUT", message)))
      },
      DocumentFailed: (error) => Effect.succeed(failedWith(error.failure))
    }),
    Effect.flatMap((ending) => finishDocument(fence, ending)),
    Effect.as<RunEnd>("ended"),
    Effect.catchTags({
      LeaseLost: (error) => Effect.as(Effect.logInfo(error.message), "ended" as const),
      SchedulerClosed: () => Effect.as(giveBack(current, "stopped"), "given back" as const),
      Preempted: () => Effect.as(giveBack(current, "preempted"), "preempted" as const),
      StoreUnavailable: giveUp,
      BlobStoreUnavailable: giveUp,
      EngineUnavailable: giveUp
    }),
    Effect.catchDefect((defect) => crash(current, defect)),
    Effect.onInterrupt(() => giveBack(current, "stopped"))
  )
})

/** The document goes back to the head of its queue, with its pages. */
const giveBack = Effect.fnUntraced(
  function* ({ claim: { fence }, budget, subject }: Run, reason: "stopped" | "preempted" | "unavailable") {
    const queue = yield* DocumentQueue
    const events = yield* Events
    const budgets = yield* RunTimeBudgets
    // Kept before the document can be claimed again.
    budgets.keep(fence, budget)
    yield* queue.release(fence)
    yield* Metric.update(Telemetry.documentsRequeued.of(reason), 1)
    yield* events.publish({ _tag: "DocumentRequeued", ...subject, attempt: fence.attempt })
  },
  Effect.catchTag(["LeaseLost", "StoreUnavailable"], (error) => Effect.logDebug("not given back", error.message))
)

const crash = (current: Run, defect: unknown) =>
  Effect.logError("document crashed", Cause.die(defect)).pipe(
    Effect.andThen(
      finishDocument(current.claim.fence, failedWith(failure("CRASHED", "the engine failed on this document")))
    ),
    Effect.as<RunEnd>("ended"),
    Effect.catchTag(["LeaseLost", "StoreUnavailable"], () =>
      Effect.as(giveBack(current, "unavailable"), "unavailable" as const)
    )
  )

/**
 * The steps of a run, up to how the document ends: locate, open, read the pages that have no result. Its bytes stay where they
 * were located until then.
 */
const readDocument = Effect.fnUntraced(function* (current: Run) {
  const engine = yield* PdfEngine
  const pipeline = yield* pipelineOf(current.claim.document)
  const original = yield* locate(current.claim, current.budget, pipeline?.source)
  const staged =
    pipeline && (yield* makeStagedRun(current.claim, pipeline, current.grant.permit, current.grant.closing))
  const pdf = staged === undefined ? original : yield* pdfOf(staged, original)
  const read = Effect.gen(function* () {
    const file = yield* openOrResume(current, pdf, pipeline)
    return file.whole === undefined ? yield* readMissingPages(current, pdf, file, staged) : completedWith(file.whole)
  })
  // A preempted document stays open in its workers, which soon go on reading it.
  return yield* Effect.onExitPrimitive(read, (exit) => (isPreempted(exit) ? undefined : engine.close(pdf.key)))
}, Effect.scoped)

const isPreempted = (exit: Exit.Exit<unknown, { readonly _tag: string }>): boolean =>
  Exit.isFailure(exit) && Option.exists(Cause.findErrorOption(exit.cause), ({ _tag }) => _tag === "Preempted")

const completedWith = (whole: WholeDocument): Ending => ({ outcome: { status: "completed" }, whole })

/** The stages that the document goes through; none if it is only read. */
const pipelineOf = Effect.fnUntraced(function* ({ pipeline: name }: Document) {
  if (name === undefined) return undefined
  const found = Option.getOrUndefined((yield* Pipelines).find(name))
  if (found === undefined) return yield* DocumentFailed.of(failure("PIPELINE_UNKNOWN", `there is no pipeline ${name}`))
  return hasStages(found) ? found : undefined
})

/** The PDF that is read: the file itself, or what the source stage makes of it. */
const pdfOf = (staged: StagedRun, original: PdfRef) => {
  const { source } = staged.pipeline
  return source === undefined ? Effect.succeed(original) : staged.notWithdrawn(sourcePdf(staged, source, original))
}

/** An opened file and the results of its opening. */
interface OpenFile {
  readonly pageCount: number
  readonly head: ReadonlyArray<PageResult>
  readonly headMillis: number | undefined
  /** Pages to be read alone, with the faults that earlier runs found. */
  readonly faults: ReadonlyMap<number, PageFaults>
  /** The whole document, if it came with the opening and is not stored yet. */
  readonly whole: WholeDocument | undefined
}

/** Opens the file, unless an earlier run has: its structure is known then, and a worker opens the file when it reads. */
const openOrResume = Effect.fnUntraced(function* (current: Run, pdf: PdfRef, pipeline: Pipeline | undefined) {
  const known = current.claim.document.progress.pages
  if (known === undefined) return yield* open(current, pdf, pipeline)
  const file: OpenFile = {
    pageCount: yield* checkPageCount(known),
    head: [],
    headMillis: undefined,
    faults: current.claim.faults,
    whole: undefined
  }
  return file
})

const open = Effect.fnUntraced(function* (
  { claim, grant, budget, subject }: Run,
  pdf: PdfRef,
  pipeline: Pipeline | undefined
) {
  const queue = yield* DocumentQueue
  const events = yield* Events
  const { priority, tenantId: tenant } = claim.document
  const turn = { tenant, priority, isNewcomer: grant.permit.isNewcomer }
  const opening = yield* openPdf(pdf, turn, budget, grant.pageGate)
  const { opened, suspects } = opening
  const pageCount = yield* checkPageCount(opened.pageCount)
  const whole = wholeOf(claim, opening, pipeline)
  if (whole === undefined) {
    yield* retryingStore(queue.opened(claim.fence, opened))
    yield* events.publish({ _tag: "DocumentOpened", ...subject, pages: pageCount })
  }
  const faults = new Map([...suspects.map((page) => [page, noFaults] as const), ...claim.faults])
  const file: OpenFile = { pageCount, head: opened.head ?? [], headMillis: opened.headMillis, faults, whole }
  return file
})

const checkPageCount = Effect.fnUntraced(function* (pageCount: number) {
  const { pages } = yield* EngineConfig
  if (pageCount > pages) {
    const message = `the file claims ${pageCount} pages; the limit is ${pages}`
    return yield* DocumentFailed.of(failure("TOO_MANY_PAGES", message))
  }
  if (pageCount < 1) return yield* DocumentFailed.of(failure("CORRUPT", "the file has no pages"))
  return pageCount
})

/**
 * A new document of which all pages came without error with the opening, and on which no stage works: one commit stores it
 * together with its end.
 */
const wholeOf = (
  claim: Claim,
  { opened, suspects }: Opening,
  pipeline: Pipeline | undefined
): WholeDocument | undefined => {
  const pages = opened.head ?? []
  if (pipeline !== undefined && wantsAny(pipeline, pages)) return undefined
  const isFresh = claim.donePages.size === 0 && claim.faults.size === 0 && suspects.length === 0
  const isWell = pages.every(({ status }) => !isFailed(status))
  return isFresh && isWell && pages.length > 0 && pages.length === opened.pageCount ? { pages, pdf: opened } : undefined
}

const readMissingPages = Effect.fnUntraced(function* (
  { claim, grant, budget, subject }: Run,
  pdf: PdfRef,
  { faults, head, headMillis, pageCount }: OpenFile,
  staged: StagedRun | undefined
) {
  const { pageTimeout } = yield* EngineConfig
  const queue = yield* DocumentQueue
  const { document, donePages, fence } = claim
  const saving = yield* makeSavePages(fence, subject, document.progress.failed)
  const pages: Array<number> = []
  for (let page = 1; page <= pageCount; page++) if (!donePages.has(page)) pages.push(page)
  const read = ({ checkpoint, room }: Pick<ReadPages, "checkpoint" | "room">) =>
    readPages({
      pdf,
      pages,
      head: head.filter(({ number }) => !donePages.has(number) && !faults.has(number)),
      headMillis,
      pageGate: grant.pageGate,
      pageTimeout,
      turn: { tenant: document.tenantId, priority: document.priority, permit: grant.permit },
      budget,
      checkpoint,
      room,
      faults,
      onFault: (page, fault) => retryingStore(queue.recordFault(fence, page, fault))
    }).pipe(Effect.catchTag("PdfUnreadable", (error) => Effect.fail(DocumentFailed.of(error.failure))))
  if (staged === undefined) {
    yield* read({ checkpoint: saving.save, room: undefined })
    return endingOf(pageCount, saving.failed(), 0)
  }
  yield* readThroughStages(staged, pdf, saving, read)
  if (saving.failed().count < pageCount) yield* staged.notWithdrawn(runDocumentStages(staged, pdf, pageCount))
  return endingOf(pageCount, saving.failed(), staged.failures())
})

const endingOf = (
  pageCount: number,
  failed: { readonly count: number; readonly last: Failure | undefined },
  failedStages: number
): Ending => {
  if (failed.count === 0) return { outcome: { status: failedStages === 0 ? "completed" : "partial" } }
  if (failed.count < pageCount) return { outcome: { status: "partial" } }
  return failedWith(failed.last ?? failure("PAGE_UNREADABLE", "no page of the file could be read"))
}
