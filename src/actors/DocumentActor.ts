import { Cause, Clock, Duration, Effect, Metric } from "effect"
import { type Failure, failure } from "../domain/Failure.ts"
import { isFailed, type PageResult } from "../domain/Page.ts"
import { type Claim, DocumentStore, type Outcome } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { Events } from "../services/Events.ts"
import { PdfEngine } from "../services/PdfEngine.ts"
import * as Telemetry from "../services/Telemetry.ts"
import { announceEnd } from "./DocumentEnd.ts"
import { DocumentFailed, locate, openPdf } from "./DocumentOpening.ts"
import { readPages } from "./DocumentPages.ts"
import type { Pass } from "./GlobalGate.ts"
import type { PageGate } from "./PageGate.ts"
import { retryingStore } from "./Policies.ts"
import { type Stopwatch, Stopwatches } from "./Stopwatch.ts"

/**
 * One run of one document, from a claim to its terminal state: fetch the bytes if they lie elsewhere, open, fan out the
 * pages that have no result yet, finish. Everything it writes is fenced by the claim's attempt.
 *
 * - Something wrong with the file ends it as `failed`, with a typed reason.
 * - A defect ends it as `failed` with `CRASHED`; the tenant's actor lives on.
 * - A permit that is wanted by another tenant, an interruption, an engine that stops, or a store that stays unavailable, gives
 *   it back to the head of its queue with its pages kept.
 * - A lost lease ends the run without a trace: another runner, or a cancel, has the last word.
 */

/**
 * What a run is given by its tenant's actor: the permit it runs under, and the limit on its pages.
 */
export interface Grant {
  readonly pass: Pass
  readonly pageGate: PageGate
}

/** How a run ended: `unavailable` means that a service it needs failed it, and the document waits again. */
export type RunEnd = "ended" | "given back" | "preempted" | "unavailable"

export const runDocument = Effect.fn("DocumentActor.run")(function* (claim: Claim, grant: Grant) {
  const store = yield* DocumentStore
  const events = yield* Events
  const stopwatches = yield* Stopwatches
  const { fence, document } = claim
  const stopwatch = stopwatches.of(fence)
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const attributes = Telemetry.documentAttributes({ ...subject, attempt: fence.attempt })
  yield* Effect.annotateCurrentSpan(attributes)
  yield* events.publish({ _tag: "DocumentStarted", ...subject, attempt: fence.attempt })
  yield* Effect.logInfo("document started").pipe(Effect.annotateLogs(attributes))

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
  const finish = (outcome: Outcome) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => store.finish(fence, outcome, now)).pipe(
      Effect.flatMap(announceEnd),
      Effect.uninterruptible,
      retryingStore
    )

  const { documentTimeout } = yield* EngineConfig
  return yield* readDocument(claim, grant, stopwatch).pipe(
    Effect.catchTag("RunTimeExceeded", () =>
      Effect.fail(
        DocumentFailed.of(failure("DOCUMENT_TIMEOUT", `reading took more than ${Duration.format(documentTimeout)}`))
      )
    ),
    Effect.catchTag("DocumentFailed", (error) => Effect.succeed<Outcome>({ status: "failed", failure: error.failure })),
    Effect.flatMap(finish),
    Effect.as<RunEnd>("ended"),
    Effect.catchTag("LeaseLost", (error) => Effect.as(Effect.logInfo(error.message), "ended" as const)),
    Effect.catchTag("SchedulerClosed", () => Effect.as(giveBack("stopped"), "given back" as const)),
    Effect.catchTag("Preempted", () => Effect.as(giveBack("preempted"), "preempted" as const)),
    Effect.catchTag(["StoreUnavailable", "BlobStoreUnavailable", "EngineUnavailable"], (error) =>
      Effect.logWarning(error).pipe(Effect.andThen(giveBack("unavailable")), Effect.as<RunEnd>("unavailable"))
    ),
    Effect.catchDefect((defect) =>
      Effect.logError("document crashed", Cause.die(defect)).pipe(
        Effect.andThen(finish({ status: "failed", failure: failure("CRASHED", "the engine failed on this document") })),
        Effect.as<RunEnd>("ended"),
        Effect.catchTag(["LeaseLost", "StoreUnavailable"], () =>
          Effect.as(giveBack("unavailable"), "unavailable" as const)
        )
      )
    ),
    Effect.onInterrupt(() => giveBack("stopped"))
  )
}, Effect.scoped)

/** Reads what is not read yet, and says how the document ends. */
const readDocument = Effect.fnUntraced(function* (claim: Claim, { pageGate, pass }: Grant, stopwatch: Stopwatch) {
  const config = yield* EngineConfig
  const engine = yield* PdfEngine
  const store = yield* DocumentStore
  const events = yield* Events
  const { fence, document } = claim
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const place = { tenant: document.tenantId, priority: document.priority }

  const pdf = yield* locate(claim, stopwatch)
  // One that only gave way to another is soon read on, by the workers that have it open.
  let keptOpen = false
  yield* Effect.addFinalizer(() => (keptOpen ? Effect.void : engine.close(pdf.key)))
  const checked = Effect.fnUntraced(function* (pageCount: number) {
    if (pageCount > config.pages) {
      const message = `the file claims ${pageCount} pages; the limit is ${config.pages}`
      return yield* DocumentFailed.of(failure("TOO_MANY_PAGES", message))
    }
    if (pageCount < 1) return yield* DocumentFailed.of(failure("CORRUPT", "the file has no pages"))
    return pageCount
  })
  const open = Effect.gen(function* () {
    const opened = yield* openPdf(pdf, place, stopwatch, pageGate)
    const pageCount = yield* checked(opened.pageCount)
    yield* retryingStore(store.opened(fence, opened))
    yield* events.publish({ _tag: "DocumentOpened", ...subject, pages: pageCount })
    return { pageCount, head: opened.head ?? [] }
  })
  // What an earlier run found in the file is known; a worker that does not have it open opens it to read.
  const known = document.progress.pages
  const { head, pageCount } = known === undefined ? yield* open : { pageCount: yield* checked(known), head: [] }

  let failed = document.progress.failed
  let lastFailure: Failure | undefined
  const checkpoint = (page: PageResult) =>
    store.savePage(fence, page).pipe(
      retryingStore,
      Effect.trackDuration(Telemetry.checkpointDuration),
      Effect.andThen(Metric.update(Telemetry.pagesRead.of(page.status), 1)),
      Effect.andThen(Metric.update(Telemetry.pageDuration, Duration.millis(page.elapsedMillis))),
      Effect.andThen(
        Effect.suspend(() => {
          if (isFailed(page.status)) {
            failed++
            lastFailure = page.error
          }
          return events.publish({ _tag: "PageDone", ...subject, page: page.number, status: page.status })
        })
      )
    )

  const pages: Array<number> = []
  for (let page = 1; page <= pageCount; page++) if (!claim.donePages.has(page)) pages.push(page)
  yield* readPages({
    pdf,
    pages,
    head: head.filter(({ number }) => !claim.donePages.has(number)),
    pageGate,
    pageTimeout: config.pageTimeout,
    turn: { ...place, pass },
    stopwatch,
    checkpoint,
    faults: claim.faults,
    onFault: (page, fault) => retryingStore(store.recordFault(fence, page, fault))
  }).pipe(
    Effect.tapErrorTag("Preempted", () =>
      Effect.sync(() => {
        keptOpen = true
      })
    ),
    Effect.catchTag("PdfUnreadable", (error) => Effect.fail(DocumentFailed.of(error.failure)))
  )
  if (failed === 0) return { status: "completed" } satisfies Outcome
  if (failed < pageCount) return { status: "partial" } satisfies Outcome
  return yield* DocumentFailed.of(lastFailure ?? failure("PAGE_UNREADABLE", "no page of the file could be read"))
})
