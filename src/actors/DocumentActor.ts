import { Cause, Clock, type Context, DateTime, Duration, Effect, Exit, Metric, Option } from "effect"
import { type Failure, failure } from "../domain/Failure.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { isFailed, type PageResult } from "../domain/Page.ts"
import { type Claim, DocumentStore, type Outcome, type WholeDocument } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { Events } from "../services/Events.ts"
import { PdfEngine, type PdfRef } from "../services/PdfEngine.ts"
import * as Log from "../services/Log.ts"
import * as Telemetry from "../services/Telemetry.ts"
import * as TraceContext from "../services/TraceContext.ts"
import { announceEnd } from "./DocumentEnd.ts"
import { DocumentFailed, locate, openPdf, type Opening } from "./DocumentOpening.ts"
import { readPages } from "./DocumentPages.ts"
import type { GlobalPermit } from "./Preemption.ts"
import type { PageGate } from "./PageGate.ts"
import { retryingStore } from "./Policies.ts"
import { type Stopwatch, Stopwatches } from "./Stopwatch.ts"
import { noFaults } from "./SuspectPages.ts"

/**
 * One run of one document, from a claim to its terminal state: fetch the bytes if they lie elsewhere, open, fan out the
 * pages that have no result yet, finish. Everything it writes is fenced by the claim's attempt.
 *
 * - Something wrong with the file ends it as `failed`, with a typed reason.
 * - A defect ends it as `failed` with `CRASHED`; the tenant's actor lives on.
 * - A permit that is requested for another tenant, an interruption, an engine that stops, or a store that stays unavailable, gives
 *   it back to the head of its queue with its pages kept.
 * - A lost lease ends the run without a trace: another runner, or a cancel, has the last word.
 */

/**
 * What a run is given by its tenant's actor: the permit it runs under, and the limit on its pages.
 */
export interface Grant {
  readonly permit: GlobalPermit
  readonly pageGate: PageGate
}

/** How a run ended: `unavailable` means that a service it needs failed it, and the document waits again. */
export type RunEnd = "ended" | "given back" | "preempted" | "unavailable"

/** One run, as a part of the trace of the request that brought the document. */
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

const run = TraceContext.traced("DocumentActor.run", (claim: Claim, grant: Grant) => runAttempt(claim, grant))

const runAttempt = Effect.fnUntraced(function* (claim: Claim, grant: Grant) {
  const store = yield* DocumentStore
  const events = yield* Events
  const stopwatches = yield* Stopwatches
  const { fence, document } = claim
  const stopwatch = stopwatches.of(fence)
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const attributes = Telemetry.documentAttributes({ ...subject, attempt: fence.attempt })
  yield* Effect.annotateCurrentSpan(attributes)
  yield* events.publish({ _tag: "DocumentStarted", ...subject, attempt: fence.attempt })
  yield* Log.line("Info", "document started", () => attributes)

  const giveBack = Effect.fnUntraced(
    function* (reason: "stopped" | "preempted" | "unavailable") {
      // Before it can be claimed again.
      stopwatches.keep(fence, stopwatch)
      yield* store.release(fence)
      yield* Metric.update(Telemetry.documentsRequeued.of(reason), 1)
      yield* events.publish({ _tag: "DocumentRequeued", ...subject, attempt: fence.attempt })
    },
    Effect.catchTag(["LeaseLost", "StoreUnavailable"], (error) => Effect.logDebug("not given back", error.message))
  )

  /** What is durable is announced; between tries it may be stopped, so that a run which lost its lease does not hold its permits. */
  const finish = ({ outcome, whole }: Ending) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      whole === undefined ? store.finish(fence, outcome, now) : store.finishWhole(fence, whole, outcome, now)
    ).pipe(
      Effect.tap(() => (whole === undefined ? Effect.void : announceWhole(subject, whole))),
      Effect.flatMap(announceEnd),
      Effect.uninterruptible,
      retryingStore
    )

  const giveUp = (error: unknown) =>
    Effect.logWarning(error).pipe(Effect.andThen(giveBack("unavailable")), Effect.as<RunEnd>("unavailable"))

  const { documentTimeout } = yield* EngineConfig
  return yield* readDocument(claim, grant, stopwatch).pipe(
    Effect.catchTags({
      RunTimeExceeded: () => {
        const message = `reading took more than ${Duration.format(documentTimeout)}`
        return Effect.succeed(failedWith(failure("DOCUMENT_TIMEOUT", message)))
      },
      DocumentFailed: (error) => Effect.succeed(failedWith(error.failure))
    }),
    Effect.flatMap(finish),
    Effect.as<RunEnd>("ended"),
    Effect.catchTags({
      LeaseLost: (error) => Effect.as(Effect.logInfo(error.message), "ended" as const),
      SchedulerClosed: () => Effect.as(giveBack("stopped"), "given back" as const),
      Preempted: () => Effect.as(giveBack("preempted"), "preempted" as const),
      StoreUnavailable: giveUp,
      BlobStoreUnavailable: giveUp,
      EngineUnavailable: giveUp
    }),
    Effect.catchDefect((defect) =>
      Effect.logError("document crashed", Cause.die(defect)).pipe(
        Effect.andThen(
          finish({ outcome: { status: "failed", failure: failure("CRASHED", "the engine failed on this document") } })
        ),
        Effect.as<RunEnd>("ended"),
        Effect.catchTag(["LeaseLost", "StoreUnavailable"], () =>
          Effect.as(giveBack("unavailable"), "unavailable" as const)
        )
      )
    ),
    Effect.onInterrupt(() => giveBack("stopped"))
  )
})

/** How the document ends. `whole` is what was read of it and is not stored yet. */
interface Ending {
  readonly outcome: Outcome
  readonly whole?: WholeDocument
}

const failedWith = (reason: Failure): Ending => ({ outcome: { status: "failed", failure: reason } })

interface Subject {
  readonly tenantId: TenantId
  readonly documentId: DocumentId
}

/** Updates metrics of many pages in one step. */
const measure = (update: (context: Context.Context<never>) => void) =>
  Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => update(context)))

/** The time it takes, for each of the pages. */
const trackCheckpoint = <A, E, R>(pages: number, checkpoint: Effect.Effect<A, E, R>) =>
  Effect.clockWith((clock) => {
    const start = clock.monotonicTimeNanosUnsafe()
    return Effect.onExit(checkpoint, () =>
      measure((context) => {
        const took = Duration.nanos(clock.monotonicTimeNanosUnsafe() - start)
        for (let page = 0; page < pages; page++) Telemetry.checkpointDuration.updateUnsafe(took, context)
      })
    )
  })

const announcePages = Effect.fnUntraced(function* (
  events: Events["Service"],
  subject: Subject,
  pages: ReadonlyArray<PageResult>
) {
  yield* measure((context) => {
    for (const { elapsedMillis, status } of pages) {
      Telemetry.pagesRead.of(status).updateUnsafe(1, context)
      Telemetry.pageDuration.updateUnsafe(Duration.millis(elapsedMillis), context)
    }
  })
  for (const { number, status } of pages) yield* events.publish({ _tag: "PageDone", ...subject, page: number, status })
})

const announceWhole = Effect.fnUntraced(function* (subject: Subject, { pages, pdf }: WholeDocument) {
  const events = yield* Events
  yield* events.publish({ _tag: "DocumentOpened", ...subject, pages: pdf.pageCount })
  yield* announcePages(events, subject, pages)
})

/** A fresh document all of whose pages came, and came well, with its opening: one commit makes it durable with its end. */
const wholeOf = (claim: Claim, { opened, suspects }: Opening): WholeDocument | undefined => {
  const pages = opened.head ?? []
  const isFresh = claim.donePages.size === 0 && claim.faults.size === 0 && suspects.length === 0
  const isWell = pages.every(({ status }) => !isFailed(status))
  return isFresh && isWell && pages.length > 0 && pages.length === opened.pageCount ? { pages, pdf: opened } : undefined
}

/** Reads what is not read yet, and says how the document ends. */
const readDocument = Effect.fnUntraced(function* (claim: Claim, grant: Grant, stopwatch: Stopwatch) {
  const engine = yield* PdfEngine
  const pdf = yield* locate(claim, stopwatch)
  // One that only gave way to another is soon read on, by the workers that have it open.
  return yield* Effect.onExitPrimitive(readLocated(claim, pdf, grant, stopwatch), (exit) =>
    isPreempted(exit) ? undefined : engine.close(pdf.key)
  )
})

const isPreempted = (exit: Exit.Exit<unknown, { readonly _tag: string }>): boolean =>
  Exit.isFailure(exit) && Option.exists(Cause.findErrorOption(exit.cause), ({ _tag }) => _tag === "Preempted")

const readLocated = Effect.fnUntraced(function* (
  claim: Claim,
  pdf: PdfRef,
  { pageGate, permit }: Grant,
  stopwatch: Stopwatch
) {
  const config = yield* EngineConfig
  const store = yield* DocumentStore
  const events = yield* Events
  const { fence, document } = claim
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const place = { tenant: document.tenantId, priority: document.priority }

  const checked = Effect.fnUntraced(function* (pageCount: number) {
    if (pageCount > config.pages) {
      const message = `the file claims ${pageCount} pages; the limit is ${config.pages}`
      return yield* DocumentFailed.of(failure("TOO_MANY_PAGES", message))
    }
    if (pageCount < 1) return yield* DocumentFailed.of(failure("CORRUPT", "the file has no pages"))
    return pageCount
  })
  const open = Effect.gen(function* () {
    const opening = yield* openPdf(pdf, { ...place, isNewcomer: permit.isNewcomer }, stopwatch, pageGate)
    const { opened, suspects } = opening
    const pageCount = yield* checked(opened.pageCount)
    const whole = wholeOf(claim, opening)
    if (whole === undefined) {
      yield* retryingStore(store.opened(fence, opened))
      yield* events.publish({ _tag: "DocumentOpened", ...subject, pages: pageCount })
    }
    return { pageCount, head: opened.head ?? [], headMillis: opened.headMillis, suspects, whole }
  })
  // What an earlier run found in the file is known; a worker that does not have it open opens it to read.
  const known = document.progress.pages
  const { head, headMillis, pageCount, suspects, whole } =
    known === undefined
      ? yield* open
      : { pageCount: yield* checked(known), head: [], headMillis: undefined, suspects: [], whole: undefined }
  if (whole !== undefined) return { outcome: { status: "completed" }, whole } satisfies Ending
  const faults = new Map([...suspects.map((page) => [page, noFaults] as const), ...claim.faults])

  let failed = document.progress.failed
  let lastFailure: Failure | undefined
  const checkpoint = (pages: ReadonlyArray<PageResult>) =>
    Effect.andThen(
      trackCheckpoint(pages.length, retryingStore(store.savePages(fence, pages))),
      Effect.suspend(() => {
        for (const { error, status } of pages) {
          if (!isFailed(status)) continue
          failed++
          lastFailure = error
        }
        return announcePages(events, subject, pages)
      })
    )

  const pages: Array<number> = []
  for (let page = 1; page <= pageCount; page++) if (!claim.donePages.has(page)) pages.push(page)
  yield* readPages({
    pdf,
    pages,
    head: head.filter(({ number }) => !claim.donePages.has(number) && !faults.has(number)),
    headMillis,
    pageGate,
    pageTimeout: config.pageTimeout,
    turn: { ...place, permit },
    stopwatch,
    checkpoint,
    faults,
    onFault: (page, fault) => retryingStore(store.recordFault(fence, page, fault))
  }).pipe(Effect.catchTag("PdfUnreadable", (error) => Effect.fail(DocumentFailed.of(error.failure))))
  if (failed === 0) return { outcome: { status: "completed" } } satisfies Ending
  if (failed < pageCount) return { outcome: { status: "partial" } } satisfies Ending
  return yield* DocumentFailed.of(lastFailure ?? failure("PAGE_UNREADABLE", "no page of the file could be read"))
})
