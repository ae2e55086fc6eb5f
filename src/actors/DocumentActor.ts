import { Cause, Clock, Duration, Effect, Metric } from "effect"
import { type Failure, failure } from "../domain/Failure.ts"
import { isFailed, type PageResult } from "../domain/Page.ts"
import { type Claim, DocumentStore, type Outcome } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { Events } from "../services/Events.ts"
import { PdfEngine } from "../services/PdfEngine.ts"
import * as Telemetry from "../services/Telemetry.ts"
import { TenantRegistry } from "../services/TenantRegistry.ts"
import { announceEnd } from "./DocumentEnd.ts"
import { DocumentFailed, locate, openPdf } from "./DocumentOpening.ts"
import { readPages } from "./DocumentPages.ts"
import { retryingStore } from "./Policies.ts"
import { makeStopwatch, type Stopwatch } from "./Stopwatch.ts"

/**
 * One run of one document, from a claim to its terminal state: fetch the bytes if they lie elsewhere, open, fan out the
 * pages that have no result yet, finish. Everything it writes is fenced by the claim's attempt.
 *
 * - Something wrong with the file ends it as `failed`, with a typed reason.
 * - A defect ends it as `failed` with `CRASHED`; the tenant's actor lives on.
 * - An interruption, an engine that stops, or a store that stays unavailable, gives it back to the head of its queue with its pages kept.
 * - A lost lease ends the run without a trace: another runner, or a cancel, has the last word.
 */

/** How a run ended: `unavailable` means that a service it needs failed it, and the document waits again. */
export type RunEnd = "ended" | "given back" | "unavailable"

export const runDocument = Effect.fn("DocumentActor.run")(function* (claim: Claim) {
  const store = yield* DocumentStore
  const events = yield* Events
  const { fence, document } = claim
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const attributes = Telemetry.documentAttributes({ ...subject, attempt: fence.attempt })
  yield* Effect.annotateCurrentSpan(attributes)
  yield* events.publish({ _tag: "DocumentStarted", ...subject, attempt: fence.attempt })
  yield* Effect.logInfo("document started").pipe(Effect.annotateLogs(attributes))

  const giveBack = Effect.fnUntraced(
    function* (reason: "stopped" | "unavailable") {
      yield* store.release(fence)
      yield* Metric.update(Telemetry.documentsRequeued.of(reason), 1)
      yield* events.publish({ _tag: "DocumentRequeued", ...subject, attempt: fence.attempt })
    },
    Effect.catchTag(["LeaseLost", "StoreUnavailable"], (error) => Effect.logDebug("not given back", error.message))
  )

  const finish = Effect.fnUntraced(function* (outcome: Outcome) {
    yield* announceEnd(yield* retryingStore(store.finish(fence, outcome, yield* Clock.currentTimeMillis)))
  }, Effect.uninterruptible)

  const { documentTimeout } = yield* EngineConfig
  return yield* readDocument(claim, makeStopwatch(documentTimeout)).pipe(
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
const readDocument = Effect.fnUntraced(function* (claim: Claim, stopwatch: Stopwatch) {
  const config = yield* EngineConfig
  const engine = yield* PdfEngine
  const store = yield* DocumentStore
  const events = yield* Events
  const registry = yield* TenantRegistry
  const { fence, document } = claim
  const subject = { tenantId: document.tenantId, documentId: document.id }
  const { weight } = yield* registry.limits(document.tenantId)
  const turn = { tenant: document.tenantId, weight, priority: document.priority }

  const pdf = yield* locate(claim, stopwatch)
  yield* Effect.addFinalizer(() => engine.close(pdf.key))
  const opened = yield* openPdf(pdf, turn, stopwatch)
  if (opened.pageCount > config.pages) {
    const message = `the file claims ${opened.pageCount} pages; the limit is ${config.pages}`
    return yield* DocumentFailed.of(failure("TOO_MANY_PAGES", message))
  }
  if (opened.pageCount < 1) return yield* DocumentFailed.of(failure("CORRUPT", "the file has no pages"))
  yield* retryingStore(store.opened(fence, opened))
  yield* events.publish({ _tag: "DocumentOpened", ...subject, pages: opened.pageCount })

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
  for (let page = 1; page <= opened.pageCount; page++) if (!claim.donePages.has(page)) pages.push(page)
  yield* readPages({
    pdf,
    pages,
    pageLimit: config.documentPages,
    pageTimeout: config.pageTimeout,
    turn,
    stopwatch,
    checkpoint,
    faults: claim.faults,
    onFault: (page, fault) => retryingStore(store.recordFault(fence, page, fault))
  }).pipe(Effect.catchTag("PdfUnreadable", (error) => Effect.fail(DocumentFailed.of(error.failure))))
  if (failed === 0) return { status: "completed" } satisfies Outcome
  if (failed < opened.pageCount) return { status: "partial" } satisfies Outcome
  return yield* DocumentFailed.of(lastFailure ?? failure("PAGE_UNREADABLE", "no page of the file could be read"))
})
