import { Data, Deferred, Duration, Effect, Fiber, Semaphore } from "effect"
import { failure, isPermanent } from "../domain/Failure.ts"
import { failedPage, type PageResult } from "../domain/Page.ts"
import type { PageFaults } from "../services/DocumentStore.ts"
import type { PdfRef } from "../services/PdfEngine.ts"
import * as TraceContext from "../services/TraceContext.ts"
import { Preempted } from "./Preemption.ts"
import { type PageGate, throughPageGate } from "./PageGate.ts"
import { type CheckpointError, readRange } from "./PageRange.ts"
import { CheckpointSpan } from "./CheckpointSpan.ts"
import { PageScheduler, type SchedulerClosed, type Turn } from "./PageScheduler.ts"
import { maxConcurrencyPerWorker, pageDeathBudget, pageFailureBudget, pageRetry } from "./Policies.ts"
import { RangeSizer } from "./RangeSizer.ts"
import type { Stopwatch } from "./Stopwatch.ts"

/**
 * Reads the pages of one document that have no result yet.
 *
 * Lanes take ranges of pages, each range in one turn of one worker. Pages that come out of it together become a batch, whose
 * fiber checkpoints them in one write while the range goes on. Three things can go wrong, and none costs another page its result:
 *
 * - A page fails: it is read again, alone, until it succeeds or its budget of failures is used up.
 * - The worker dies: the pages it may have had in hand are read again, alone; one on which workers die again is condemned.
 *   The rest goes back to the lanes, a few at a time: results may have been lost with the worker, so the page to blame may be
 *   further on, and is in hand for certain when nothing else is.
 * - No page comes out for the page timeout: the worker is stopped, and the same pages are read again, alone; one that
 *   stalls alone is condemned.
 *
 * When the engine stops, or the document's permit is requested for another tenant, the lanes take no further range. What is being
 * read is read and checkpointed first; then this fails with `SchedulerClosed` or `Preempted` if pages are left.
 */
export interface ReadPages {
  readonly pdf: PdfRef
  readonly pages: ReadonlyArray<number>
  /** Results of some of them, which came with the opening. */
  readonly head: ReadonlyArray<PageResult>
  /** What they took of a worker, as their own times may overlap. */
  readonly headMillis?: number | undefined
  /** Pages being read at once. */
  readonly pageGate: PageGate
  readonly pageTimeout: Duration.Duration
  readonly turn: Omit<Turn, "estimatedMillis">
  readonly stopwatch: Stopwatch
  /** Makes results durable. Called once with every page. */
  readonly checkpoint: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
  /** What earlier runs, or the opening, found to doubt; such pages are read alone, when the others are done. */
  readonly faults: ReadonlyMap<number, PageFaults>
  /** Makes durable that a page is to be read again, and why: its budgets hold over all runs. */
  readonly onFault: (page: number, fault: "failure" | "death") => Effect.Effect<void, CheckpointError>
}

/** The fiber that makes pages durable which came together. */
type Batch = Fiber.Fiber<void, CheckpointError>

export const noFaults: PageFaults = { failures: 0, deaths: 0 }

/** A page read alone came to nothing. `verdict` is its result unless it is read `again`. */
class PageFault extends Data.TaggedError("PageFault")<{ readonly verdict: PageResult; readonly again: boolean }> {}

const isFinal = (page: PageResult): boolean => page.error !== undefined && isPermanent(page.error.code)

/** Pages read but not yet checkpointed, per document; a slow store holds the reading up there. */
const maxUnsavedPages = 128
/** So that one write takes a few milliseconds at most, and a batch never waits for all the others. */
const maxBatchPages = 32

export const readPages = Effect.fnUntraced(function* (request: ReadPages) {
  const scheduler = yield* PageScheduler
  const { pdf, pageTimeout, stopwatch } = request
  const unsaved = yield* Semaphore.make(maxUnsavedPages)
  const scope = yield* Effect.scope
  const emit = yield* TraceContext.emitter
  const broken = yield* Deferred.make<never, CheckpointError>()
  const sizer = new RangeSizer()
  const inHand = new Set(request.head.map((page) => page.number))
  const lanes = Math.max(1, Math.min(scheduler.turns, request.pages.length - inHand.size))
  // The limit may change while the document is read.
  const concurrency = () => {
    const limit = request.pageGate.limit()
    return Math.min(maxConcurrencyPerWorker, Math.max(1, Math.floor(limit / Math.min(lanes, limit))))
  }

  const troubled = request.pages.filter((page) => request.faults.has(page))
  const pending = request.pages.filter((page) => !request.faults.has(page) && !inHand.has(page)).reverse()
  /** Of ranges that were cut short. */
  const doubted: Array<number> = []
  const nextRange = () => {
    if (doubted.length > 0) return doubted.splice(0, concurrency())
    const range: Array<number> = []
    for (let left = sizer.size(pending.length, lanes); left > 0; left--) {
      const page = pending.pop()
      if (page !== undefined) range.push(page)
    }
    return range
  }

  const readGated = (
    pages: ReadonlyArray<number>,
    turn: Omit<Turn, "estimatedMillis">,
    onPages: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
  ) =>
    throughPageGate(request.pageGate, Math.min(concurrency(), pages.length), (permits) =>
      readRange({
        pdf,
        pages,
        concurrency: permits,
        pageTimeout,
        turn: { ...turn, estimatedMillis: sizer.estimate(pages.length) },
        stopwatch,
        onPages,
        onUsed: (count, millis) => sizer.observe(count, millis)
      }).pipe(Effect.map((end) => ({ ...end, inHand: permits })))
    )

  // No turn to be refused: a page in doubt gets its verdict in the run that came to doubt it, or the doubt would come again.
  const { permit, ...turnAlone } = request.turn
  const readAlone = Effect.fnUntraced(function* (number: number, earlier: PageFaults) {
    let { deaths, failures } = earlier
    const attempt = Effect.gen(function* () {
      let faulty: PageResult | undefined
      const end = yield* readGated([number], turnAlone, (pages) => {
        faulty = pages.find(({ status }) => status === "failed")
        return faulty === undefined ? request.checkpoint(pages) : Effect.void
      })
      if (end._tag === "Stalled") {
        const message = `page ${number} was not read within ${Duration.format(pageTimeout)}`
        const verdict = failedPage(number, "timeout", failure("PAGE_TIMEOUT", message), Duration.toMillis(pageTimeout))
        return yield* new PageFault({ verdict, again: false })
      }
      if (end._tag === "Died") {
        const message = `page ${number} ended its worker: ${end.detail}`
        const verdict = failedPage(number, "failed", failure(end.memory ? "RESOURCE_LIMIT" : "CRASHED", message))
        const again = ++deaths < pageDeathBudget
        if (again) yield* request.onFault(number, "death")
        return yield* new PageFault({ verdict, again })
      }
      if (faulty !== undefined) {
        const again = ++failures < pageFailureBudget && !isFinal(faulty)
        if (again) yield* request.onFault(number, "failure")
        return yield* new PageFault({ verdict: faulty, again })
      }
    })
    yield* attempt.pipe(
      Effect.retry({ schedule: pageRetry, while: (error) => error._tag === "PageFault" && error.again }),
      Effect.catchTag("PageFault", (fault) => request.checkpoint([fault.verdict]))
    )
    permit?.verdictReached()
  })

  const readFaulty = (page: number) =>
    Effect.andThen(request.onFault(page, "failure"), readAlone(page, { ...noFaults, failures: 1 }))

  const forkCheckpoint = (pages: ReadonlyArray<PageResult>, span: CheckpointSpan | undefined) => {
    const checkpoint = request.checkpoint(pages)
    return unsaved.take(pages.length).pipe(
      Effect.andThen(
        (span === undefined ? checkpoint : span.around(pages.length, checkpoint)).pipe(
          Effect.tapCause((cause) => Deferred.failCause(broken, cause)),
          Effect.ensuring(unsaved.release(pages.length)),
          // Not a child of the range, which ends before its last checkpoints do.
          Effect.forkIn(scope)
        )
      )
    )
  }

  let stopped: SchedulerClosed | Preempted | undefined
  const lane = Effect.gen(function* () {
    const batches: Array<Batch> = []
    yield* Effect.andThen(takeHead(batches), readRanges(batches)).pipe(
      // Not a failure of the lane, which would interrupt the others in their ranges.
      Effect.catchTag(["SchedulerClosed", "Preempted"], (reason) =>
        Effect.sync(() => {
          stopped = reason
        })
      )
    )
    yield* Fiber.joinAll(batches)
  })

  const takePages = Effect.fnUntraced(function* (
    pages: ReadonlyArray<PageResult>,
    faulty: Array<number>,
    batches: Array<Batch>,
    span: CheckpointSpan | undefined
  ) {
    const finished = pages.filter((page) => page.status !== "failed" || isFinal(page))
    if (finished.length < pages.length) for (const page of pages) if (!finished.includes(page)) faulty.push(page.number)
    for (let from = 0; from < finished.length; from += maxBatchPages)
      batches.push(yield* forkCheckpoint(finished.slice(from, from + maxBatchPages), span))
  })

  let head = request.head
  const takeHead = Effect.fnUntraced(function* (batches: Array<Batch>) {
    const pages = head
    head = []
    if (pages.length === 0) return
    const faulty: Array<number> = []
    const ownMillis = pages.reduce((millis, page) => millis + page.elapsedMillis, 0)
    sizer.observe(pages.length, request.headMillis ?? ownMillis)
    const span = emit && new CheckpointSpan(emit)
    yield* takePages(pages, faulty, batches, span)
    if (span !== undefined) yield* span.close
    if (pages.length > faulty.length) permit?.verdictReached()
    yield* Effect.forEach(faulty, readFaulty, { discard: true })
  })

  const readRanges = Effect.fnUntraced(function* (batches: Array<Batch>) {
    for (let pages = nextRange(); pages.length > 0; pages = nextRange()) {
      const faulty: Array<number> = []
      const span = emit && new CheckpointSpan(emit)
      const end = yield* readGated(pages, request.turn, (found) => takePages(found, faulty, batches, span))
      if (span !== undefined) yield* span.close
      const suspects = end._tag === "Read" ? [] : end.unfinished.slice(0, end.inHand)
      if (end._tag !== "Read") doubted.push(...end.unfinished.slice(end.inHand))
      yield* Effect.forEach(faulty, readFaulty, { discard: true })
      yield* Effect.forEach(suspects, (page) => readAlone(page, noFaults), { discard: true })
    }
    for (let page = troubled.pop(); page !== undefined; page = troubled.pop()) {
      if (permit?.isRequested === true) return yield* new Preempted()
      yield* readAlone(page, request.faults.get(page) ?? noFaults)
    }
  })

  yield* Effect.raceFirst(
    Effect.replicateEffect(lane, lanes, { concurrency: "unbounded", discard: true }),
    Deferred.await(broken)
  )
  if (stopped !== undefined) return yield* Effect.fail<SchedulerClosed | Preempted>(stopped)
}, Effect.scoped)
