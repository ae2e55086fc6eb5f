import { type Duration, Effect, Fiber } from "effect"
import type { PageResult } from "../../domain/document/Page.ts"
import type { PageFaults } from "../../services/store/Claim.ts"
import type { PdfRef } from "../../services/PdfEngine.ts"
import { type Batch, type Checkpoints, makeCheckpoints } from "./Checkpoints.ts"
import { type PageGate, throughPageGate } from "../gates/PageGate.ts"
import { PageQueue } from "./PageQueue.ts"
import { type CheckpointError, readRange } from "./PageRange.ts"
import { PageScheduler, type SchedulerClosed, type Turn } from "../scheduling/PageScheduler.ts"
import { Preempted } from "../gates/Preemption.ts"
import { maxConcurrencyPerWorker, RangeSizer } from "../scheduling/RangeSizer.ts"
import type { RunTimeBudget } from "./RunTimeBudget.ts"
import { isFinal, noFaults, readSuspect, type SuspectPages } from "./SuspectPages.ts"

/**
 * Reads the pages of one document that have no result yet.
 *
 * Lanes take ranges of pages, each range in one turn of one worker. Pages that come out of it together become a batch, whose
 * fiber checkpoints them in one write while the range goes on. Three things can go wrong; none costs another page its result:
 *
 * - A page fails: it is read again, alone, until it succeeds or its budget of failures is used up.
 * - The worker dies: the pages it may have been reading are read again, alone; a page on which workers die again fails for
 *   good. The lanes read the rest a few pages at a time: results may have been lost with the worker, so the page that killed it
 *   may be further on. In such a short range it is certainly among the pages being read.
 * - No page comes for the length of the page timeout: the worker is stopped, and the same pages are read again, alone; a page
 *   that stalls alone fails for good.
 *
 * A fourth is no fault of the file: the runner whose worker reads is lost. Pages that had come stay; the others are read next.
 *
 * When the engine stops, or the document's permit is requested for another tenant, the lanes take no further range. They
 * finish and checkpoint the ranges they have; then this fails with `SchedulerClosed` or `Preempted` if pages are left.
 */
export interface ReadPages {
  readonly pdf: PdfRef
  readonly pages: ReadonlyArray<number>
  /** Results of the pages that were read with the opening. */
  readonly head: ReadonlyArray<PageResult>
  /** Worker time used for the head as a whole, since the times of its pages may overlap. */
  readonly headMillis?: number | undefined
  /** Limits the pages that are read at once. */
  readonly pageGate: PageGate
  readonly pageTimeout: Duration.Duration
  readonly turn: Omit<Turn, "estimatedMillis">
  readonly budget: RunTimeBudget
  /** Makes results durable. Called once with every page. */
  readonly checkpoint: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
  /** Waits until more pages may be read, if what becomes of those that were read takes its time. */
  readonly room?: Effect.Effect<void, SchedulerClosed | Preempted> | undefined
  /** Pages with which earlier runs, or the opening, found a fault. They are read alone, after the others. */
  readonly faults: ReadonlyMap<number, PageFaults>
  /** Makes durable that a page has to be read again, and why: its budgets hold over all runs. */
  readonly onFault: (page: number, fault: "failure" | "death") => Effect.Effect<void, CheckpointError>
}

/** What the lanes of one document share. */
interface Reading {
  readonly request: ReadPages
  readonly queue: PageQueue
  readonly sizer: RangeSizer
  readonly lanes: number
  readonly checkpoints: Checkpoints
  /** Results that came with the opening, until a lane takes them. */
  head: ReadonlyArray<PageResult>
  /** Why no further range is taken. */
  stopped: SchedulerClosed | Preempted | undefined
}

type OnPages = (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>

/** Pages that one lane reads at once: its part of the page gate, whose limit may change while the document is read. */
const concurrencyOf = ({ lanes, request }: Reading) => {
  const limit = request.pageGate.limit()
  return Math.min(maxConcurrencyPerWorker, Math.max(1, Math.floor(limit / Math.min(lanes, limit))))
}

const readGated = (
  reading: Reading,
  pages: ReadonlyArray<number>,
  turn: Omit<Turn, "estimatedMillis">,
  onPages: OnPages
) => {
  const { request, sizer } = reading
  return throughPageGate(request.pageGate, Math.min(concurrencyOf(reading), pages.length), (permits) =>
    readRange({
      pdf: request.pdf,
      pages,
      concurrency: permits,
      pageTimeout: request.pageTimeout,
      turn: {
        ...turn,
        estimatedMillis: sizer.estimate(pages.length),
        document: { key: request.pdf.key, millisLeft: sizer.estimate(reading.queue.pending + pages.length) }
      },
      budget: request.budget,
      onPages,
      onUsed: (count, millis) => sizer.observe(count, millis)
    }).pipe(Effect.map((end) => ({ ...end, inHand: permits })))
  )
}

/** Reads a page in doubt. Its verdict counts as progress of the document, like a range that was read. */
const readDoubted = (reading: Reading, page: number, faults: PageFaults) => {
  const { request } = reading
  // The turn has no permit, so it is not refused. A page in doubt has to get its verdict in this run, or the next run would
  // come to doubt it again.
  const { permit, ...turn } = request.turn
  const suspect: SuspectPages = { ...request, read: (number, onPages) => readGated(reading, [number], turn, onPages) }
  return Effect.tap(readSuspect(suspect, page, faults), () => Effect.sync(() => permit?.verdictReached()))
}

const readFaulty = (reading: Reading, page: number) =>
  Effect.andThen(reading.request.onFault(page, "failure"), readDoubted(reading, page, { ...noFaults, failures: 1 }))

/** Forks the checkpoints of the finished pages, and returns the numbers of the pages to be read again. */
const takePages = Effect.fnUntraced(function* (
  { checkpoints }: Reading,
  pages: ReadonlyArray<PageResult>,
  batches: Array<Batch>,
  range: ReturnType<Checkpoints["range"]>
) {
  const finished = pages.filter((page) => page.status !== "failed" || isFinal(page))
  batches.push(...(yield* checkpoints.fork(finished, range)))
  return finished.length === pages.length
    ? []
    : pages.filter((page) => !finished.includes(page)).map(({ number }) => number)
})

/** Takes the results that came with the opening like those of a range. */
const readHead = Effect.fnUntraced(function* (reading: Reading, batches: Array<Batch>) {
  const { checkpoints, request, sizer } = reading
  const pages = reading.head
  reading.head = []
  if (pages.length === 0) return
  const ownMillis = pages.reduce((millis, page) => millis + page.elapsedMillis, 0)
  sizer.observe(pages.length, request.headMillis ?? ownMillis)
  const range = checkpoints.range()
  const faulty = yield* takePages(reading, pages, batches, range)
  if (range !== undefined) yield* range.close
  if (pages.length > faulty.length) request.turn.permit?.verdictReached()
  yield* Effect.forEach(faulty, (page) => readFaulty(reading, page), { discard: true })
})

const readOneRange = Effect.fnUntraced(function* (
  reading: Reading,
  pages: ReadonlyArray<number>,
  batches: Array<Batch>
) {
  const { checkpoints, queue, request } = reading
  const faulty: Array<number> = []
  const range = checkpoints.range()
  const end = yield* readGated(reading, pages, request.turn, (found) =>
    Effect.map(takePages(reading, found, batches, range), (again) => {
      faulty.push(...again)
    })
  )
  if (range !== undefined) yield* range.close
  if (end._tag === "Lost") queue.putBack(end.unfinished)
  const isFaulty = end._tag === "Died" || end._tag === "Stalled"
  const suspects = isFaulty ? end.unfinished.slice(0, end.inHand) : []
  if (isFaulty) queue.doubt(end.unfinished.slice(end.inHand))
  yield* Effect.forEach(faulty, (page) => readFaulty(reading, page), { discard: true })
  yield* Effect.forEach(suspects, (page) => readDoubted(reading, page, noFaults), { discard: true })
})

const readRanges = Effect.fnUntraced(function* (reading: Reading, batches: Array<Batch>) {
  const { lanes, queue, sizer } = reading
  const next = () => queue.takeRange(sizer.size(queue.pending, lanes), concurrencyOf(reading))
  const { room } = reading.request
  for (;;) {
    if (room !== undefined) yield* room
    const pages = next()
    if (pages.length === 0) return
    yield* readOneRange(reading, pages, batches)
  }
})

const readSuspects = Effect.fnUntraced(function* (reading: Reading) {
  const { queue, request } = reading
  for (let page = queue.takeSuspect(); page !== undefined; page = queue.takeSuspect()) {
    if (request.turn.permit?.isRequested === true) return yield* new Preempted()
    if (request.room !== undefined) yield* request.room
    yield* readDoubted(reading, page, request.faults.get(page) ?? noFaults)
  }
})

const lane = Effect.fnUntraced(function* (reading: Reading) {
  const batches: Array<Batch> = []
  yield* readHead(reading, batches).pipe(
    Effect.andThen(readRanges(reading, batches)),
    Effect.andThen(readSuspects(reading)),
    // Not a failure of the lane: that would interrupt the other lanes in their ranges.
    Effect.catchTag(["SchedulerClosed", "Preempted"], (reason) =>
      Effect.sync(() => {
        reading.stopped = reason
      })
    )
  )
  yield* Fiber.joinAll(batches)
})

export const readPages = Effect.fnUntraced(function* (request: ReadPages) {
  const scheduler = yield* PageScheduler
  const checkpoints = yield* makeCheckpoints(request.checkpoint)
  const inHand = new Set(request.head.map((page) => page.number))
  const lanes = Math.max(1, Math.min(scheduler.turns(), request.pages.length - inHand.size))
  const queue = new PageQueue({
    pending: request.pages.filter((page) => !request.faults.has(page) && !inHand.has(page)),
    suspect: request.pages.filter((page) => request.faults.has(page))
  })
  const reading: Reading = {
    request,
    queue,
    sizer: new RangeSizer(scheduler.turnMillis),
    lanes,
    checkpoints,
    head: request.head,
    stopped: undefined
  }
  yield* Effect.raceFirst(
    Effect.replicateEffect(lane(reading), lanes, { concurrency: "unbounded", discard: true }),
    checkpoints.failed
  )
  if (reading.stopped !== undefined) return yield* Effect.fail(reading.stopped)
}, Effect.scoped)
