import { Clock, Data, Duration, Effect, Latch, Metric, Stream } from "effect"
import type { PageResult } from "../../domain/document/Page.ts"
import type { LeaseLost, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { type EngineUnavailable, PdfEngine, type PdfRef, type PdfUnreadable } from "../../services/PdfEngine.ts"
import { CurrentProcessorWait, monotonicMillis } from "../../services/ProcessorWait.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { trackInUse } from "../gates/GateMetrics.ts"
import type { Preempted } from "../gates/Preemption.ts"
import { PageScheduler, type SchedulerClosed, type Turn } from "../scheduling/PageScheduler.ts"
import type { RunTimeExceeded, RunTimeBudget } from "./RunTimeBudget.ts"

/** No page of the range was finished within the page timeout. */
class Stalled extends Data.TaggedError("Stalled")<{}> {}

/**
 * Fails when the stream brings nothing for the length of the timeout. The time spent on its elements does not count, nor the
 * time the worker waited for a processor. Elements pass through no queue: one fiber sleeps, and checks when the wait began.
 */
const failingIfStalled = Effect.fnUntraced(function* <A, E, R>(
  timeout: Duration.Duration,
  reading: (rest: <B, E2, R2>(work: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>) => Effect.Effect<A, E, R>
) {
  const clock = yield* Clock.Clock
  const wait = yield* CurrentProcessorWait
  const timeoutMillis = Duration.toMillis(timeout)
  const waits = Latch.makeUnsafe(true)
  const ownMillis = () => monotonicMillis(clock) - wait.millis()
  let since = ownMillis()
  const rest = <B, E2, R2>(work: Effect.Effect<B, E2, R2>) =>
    Effect.suspend(() => {
      waits.closeUnsafe()
      return Effect.map(work, (done) => {
        since = ownMillis()
        waits.openUnsafe()
        return done
      })
    })
  const stalled: Effect.Effect<never, Stalled> = Effect.suspend(() => {
    if (!waits.isOpen()) return Effect.andThen(waits.await, stalled)
    const left = timeoutMillis - (ownMillis() - since)
    // Rounded up: the clock counts whole milliseconds, so a sleep for a fraction of one would repeat for ever.
    return left > 0 ? Effect.andThen(Effect.sleep(Math.ceil(left)), stalled) : Effect.fail(new Stalled())
  })
  return yield* Effect.raceFirst(reading(rest), stalled)
})

/** How a range ended. If something stopped it, `unfinished` holds the pages without an outcome, in order. */
export type RangeEnd =
  | { readonly _tag: "Read" }
  | {
      readonly _tag: "Died"
      readonly memory: boolean
      readonly detail: string
      readonly unfinished: ReadonlyArray<number>
    }
  | { readonly _tag: "Stalled"; readonly unfinished: ReadonlyArray<number> }
  /** The runner that read is gone. No page is in doubt. */
  | { readonly _tag: "Lost"; readonly unfinished: ReadonlyArray<number> }

/** A page could not be made durable: the whole document stops. */
export type CheckpointError = LeaseLost | StoreUnavailable

export interface RangeRequest {
  readonly pdf: PdfRef
  readonly pages: ReadonlyArray<number>
  readonly concurrency: number
  readonly pageTimeout: Duration.Duration
  readonly turn: Turn
  readonly budget: RunTimeBudget
  /** Receives pages in the groups in which they come. The range goes on while it works, up to a bound of its own. */
  readonly onPages: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
  /** Receives the worker time that was used, and the number of pages it was used for. */
  readonly onUsed: (pages: number, millis: number) => void
}

/**
 * Reads one range in one turn of one worker. If it is interrupted or stalls, it stops the worker's work before it returns. It
 * fails only when the document as a whole cannot go on.
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

  const read = failingIfStalled(request.pageTimeout, (rest) =>
    engine.read(request.pdf, request.pages, request.concurrency).pipe(
      Stream.runForEachArray((pages) => {
        for (const { number } of pages) unfinished.delete(number)
        return rest(request.onPages(pages))
      })
    )
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
        if (done > 0) request.turn.permit?.rangeRead()
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
  return yield* request.budget.run(timed).pipe(
    trackInUse("worker"),
    scheduler.run(request.turn),
    Effect.map((): RangeEnd => (unfinished.size === 0 ? { _tag: "Read" } : died(false, "it left pages out"))),
    Effect.catchTag("Stalled", () => Effect.succeed<RangeEnd>({ _tag: "Stalled", unfinished: [...unfinished] })),
    Effect.tapErrorTag("PdfEngineError", Telemetry.countEngineError),
    Effect.catchTag("PdfEngineError", ({ reason }): Effect.Effect<RangeEnd, PdfUnreadable | EngineUnavailable> => {
      if (reason._tag === "WorkerDied") return Effect.succeed(died(reason.memory, reason.detail))
      if (reason._tag !== "PoolLost") return Effect.fail(reason)
      const lost: RangeEnd = { _tag: "Lost", unfinished: [...unfinished] }
      return Effect.as(Effect.logInfo(reason.message), lost)
    }),
    Effect.tap((end) =>
      Effect.logDebug("range ended").pipe(Effect.annotateLogs({ end: end._tag, unfinished: unfinished.size }))
    )
  )
})
