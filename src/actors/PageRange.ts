import { Clock, Data, Duration, Effect, Metric, Stream } from "effect"
import type { PageResult } from "../domain/Page.ts"
import type { LeaseLost, StoreUnavailable } from "../services/DocumentStore.ts"
import { type EngineUnavailable, PdfEngine, type PdfRef, type PdfUnreadable } from "../services/PdfEngine.ts"
import * as Telemetry from "../services/Telemetry.ts"
import * as TraceContext from "../services/TraceContext.ts"
import { holding } from "./Gate.ts"
import type { Preempted } from "./GlobalGate.ts"
import { PageScheduler, type SchedulerClosed, type Turn } from "./PageScheduler.ts"
import type { RunTimeExceeded, Stopwatch } from "./Stopwatch.ts"

/** No page of the range was finished within the page timeout. */
class Stalled extends Data.TaggedError("Stalled")<{}> {}

/** How a range ended. Pages without an outcome are `unfinished`, in order, when something stopped it. */
export type RangeEnd =
  | { readonly _tag: "Read" }
  | {
      readonly _tag: "Died"
      readonly memory: boolean
      readonly detail: string
      readonly unfinished: ReadonlyArray<number>
    }
  | { readonly _tag: "Stalled"; readonly unfinished: ReadonlyArray<number> }

/** A page could not be made durable: the whole document stops. */
export type CheckpointError = LeaseLost | StoreUnavailable

export interface RangeRequest {
  readonly pdf: PdfRef
  readonly pages: ReadonlyArray<number>
  readonly concurrency: number
  readonly pageTimeout: Duration.Duration
  readonly turn: Turn
  readonly stopwatch: Stopwatch
  /** Takes each page as it is read. The range goes on while it works, up to a bound of its own. */
  readonly onPage: (page: PageResult) => Effect.Effect<void, CheckpointError>
  /** Told of the worker time that was used, and for how many pages. */
  readonly onUsed: (pages: number, millis: number) => void
}

/**
 * Reads one range in one turn of one worker. Interrupted or stalled, it stops the worker's work before it returns. Fails
 * only when the document as a whole cannot go on.
 */
export const readRange = Effect.fn("DocumentActor.range")(function* (
  request: RangeRequest
): Effect.fn.Return<
  RangeEnd,
  CheckpointError | PdfUnreadable | EngineUnavailable | RunTimeExceeded | SchedulerClosed | Preempted,
  PdfEngine | PageScheduler
> {
  const engine = yield* PdfEngine
  const scheduler = yield* PageScheduler
  const unfinished = new Set(request.pages)
  yield* Effect.annotateCurrentSpan(Telemetry.rangeAttributes(request.pages))
  yield* Metric.update(Telemetry.rangePages, request.pages.length)

  const read = engine.read(request.pdf, request.pages, request.concurrency).pipe(
    Stream.timeoutOrElse({ duration: request.pageTimeout, orElse: () => Stream.fail(new Stalled()) }),
    Stream.runForEach((page) => {
      unfinished.delete(page.number)
      return request.onPage(page)
    })
  )
  const asked = yield* Clock.currentTimeMillis
  const timed = Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    yield* Metric.update(Telemetry.gateWait.of("worker"), Duration.millis(start - asked))
    yield* TraceContext.past("Gate.worker", asked, start)
    yield* Effect.logDebug("range started").pipe(Effect.annotateLogs({ pages: request.pages }))
    return yield* Effect.ensuring(
      read,
      Effect.map(Clock.currentTimeMillis, (end) => {
        const done = request.pages.length - unfinished.size
        if (done > 0 && request.turn.pass !== undefined) request.turn.pass.ranges++
        request.onUsed(done, end - start)
      })
    )
  })
  const died = (memory: boolean, detail: string): RangeEnd => ({
    _tag: "Died",
    memory,
    detail,
    unfinished: [...unfinished]
  })
  return yield* request.stopwatch.run(timed).pipe(
    holding("worker"),
    scheduler.run(request.turn),
    Effect.map((): RangeEnd => (unfinished.size === 0 ? { _tag: "Read" } : died(false, "it left pages out"))),
    Effect.catchTag("Stalled", () => Effect.succeed<RangeEnd>({ _tag: "Stalled", unfinished: [...unfinished] })),
    Effect.tapErrorTag("PdfEngineError", Telemetry.countEngineError),
    Effect.catchTag("PdfEngineError", ({ reason }) =>
      reason._tag === "WorkerDied"
        ? Effect.succeed(died(reason.memory, reason.detail))
        : Effect.fail<PdfUnreadable | EngineUnavailable>(reason)
    ),
    Effect.tap((end) =>
      Effect.logDebug("range ended").pipe(Effect.annotateLogs({ end: end._tag, unfinished: unfinished.size }))
    )
  )
})
