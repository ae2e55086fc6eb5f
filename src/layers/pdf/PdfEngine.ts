// The engine that reads PDFs with pdf.js in child processes.
import { Cause, Deferred, Effect, Layer, Queue, Redacted, Stream } from "effect"
import { availableParallelism } from "node:os"
import type { PageResult } from "../../domain/document/Page.ts"
import type { EngineUnavailable, HeadRequest, OpenedPdf, PdfRef, PdfUnreadable } from "../../services/PdfEngine.ts"
import { PdfEngine, PdfEngineError, WorkerDied } from "../../services/PdfEngine.ts"
import { CurrentProcessorWait, timeoutOfOwnTime } from "../../services/ProcessorWait.ts"
import { rangeAttributes } from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import type { Timing } from "./pool/Protocol.ts"
import { findSandbox, requireAll, type SandboxMode, type SandboxUnavailable } from "./pool/Sandbox.ts"
import type { PoolOptions } from "./pool/WorkerPool.ts"
import { makeWorkerPool } from "./pool/WorkerPool.ts"

/** With less than this a worker cannot start, or starts and cannot open the smallest file. */
export const leastMemoryBytes = 256 * 1024 * 1024

export interface PdfEngineOptions extends Omit<PoolOptions, "sandbox"> {
  readonly sandbox: SandboxMode
}

export const defaultOptions: PdfEngineOptions = {
  workers: availableParallelism(),
  /** What one worker may use at most: `leastMemoryBytes` or more. */
  memoryBytes: 1000 * 1024 * 1024,
  // Its memory use replaces a worker earlier if necessary; a new one takes twice as long for its first thousand pages.
  recycleAfterPages: 200_000,
  maxHeldDocuments: 8,
  layout: true,
  sandbox: "auto"
}

const secretOf = (pdf: PdfRef): string | undefined =>
  pdf.password === undefined ? undefined : Redacted.value(pdf.password)

const engineError = (reason: PdfUnreadable | WorkerDied | EngineUnavailable): PdfEngineError =>
  new PdfEngineError({ reason })

const noHead: HeadRequest = { pages: 0, concurrency: 1 }

/** How long finished pages of a head wait for the others: milliseconds of the worker's own time. */
const headGrace = 2_000
/** How long the opening waits for the first page of a head. */
const firstPageGrace = 8_000

/** Pages that were begun and not finished: the first alone, and once it was finished the next ones, so many at a time. */
const suspectsOf = (
  { concurrency, pages }: HeadRequest,
  pageCount: number,
  head: ReadonlyArray<PageResult>
): ReadonlyArray<number> => {
  const finished = new Set(head.map(({ number }) => number))
  const missing = Array.from({ length: Math.min(pages, pageCount) }, (_, index) => index + 1).filter(
    (page) => !finished.has(page)
  )
  return missing.slice(0, finished.has(1) ? concurrency : 1)
}

const silent = new WorkerDied({ memory: false, detail: "it did not say what it found" })

/** A worker has no exporter of its own: nothing of the engine's environment reaches it. */
const workerSpan =
  (emit: TraceContext.Emit, name: string, pid: number, attributes: Readonly<Record<string, number>> = {}) =>
  ({ from, slow, to }: Timing): void =>
    emit({
      name,
      from,
      to,
      attributes: { ...attributes, "worker.pid": pid },
      events: slow.map(({ at, elapsedMillis, page }) => ({
        name: "slow page",
        at,
        attributes: { "page.number": page, "page.millis": elapsedMillis }
      }))
    })

const make = Effect.fnUntraced(function* ({ sandbox, ...options }: PdfEngineOptions) {
  // The build of the layer goes on meanwhile.
  const walls = yield* Effect.cached(findSandbox(sandbox))
  if (sandbox === "require") yield* Effect.flatMap(walls, requireAll)
  const pool = yield* makeWorkerPool({ ...options, sandbox: walls })
  const borrow = (pdf: PdfRef) => Effect.mapError(pool.borrow(pdf.key), engineError)

  const open = Effect.fn("PdfEngine.open")(function* (pdf: PdfRef, request: HeadRequest = noHead) {
    const worker = yield* borrow(pdf)
    const wait = yield* CurrentProcessorWait
    wait.millis = worker.waitedFromNow()
    const emit = yield* TraceContext.emitter
    const answer = yield* Deferred.make<OpenedPdf, PdfEngineError>()
    const end = yield* Deferred.make<"through" | "cut off">()
    const head: Array<PageResult> = []
    let headMillis: number | undefined
    worker.start({ _tag: "Open", key: pdf.key, password: secretOf(pdf), head: request }, pdf.location, {
      opened: (opened) => Deferred.doneUnsafe(answer, Effect.succeed(opened)),
      pages: (results) => head.push(...results),
      headMillis: (millis) => {
        headMillis = millis
      },
      timing: emit && workerSpan(emit, "PdfWorker.open", worker.pid()),
      end: (reason) => {
        // If the file was opened before the worker died, one of its pages ended the worker.
        if (!Deferred.isDoneUnsafe(answer)) Deferred.doneUnsafe(answer, Effect.fail(engineError(reason ?? silent)))
        Deferred.doneUnsafe(end, Effect.succeed(reason === undefined ? "through" : "cut off"))
      }
    })
    const opened = yield* Deferred.await(answer)
    // The worker is returned with the answer, and has to be ready for the next call then.
    const cutOff = () => Effect.succeed("cut off" as const)
    const how = yield* Deferred.await(end).pipe(
      timeoutOfOwnTime({ millis: headGrace, waitedMillis: wait.millis, orElse: cutOff }),
      // As long as no page is finished, no finished result waits.
      Effect.flatMap((how) =>
        how === "through" || head.length > 0
          ? Effect.succeed(how)
          : timeoutOfOwnTime({ millis: firstPageGrace, waitedMillis: wait.millis, orElse: cutOff })(Deferred.await(end))
      )
    )
    const suspects = how === "through" ? [] : suspectsOf(request, opened.pageCount, head)
    return { ...opened, head: [...head], suspects, ...(headMillis !== undefined && { headMillis }) }
  }, Effect.scoped)

  // The queue has no bound of its own: a slow consumer leaves at most the results of the pages it asked for in it.
  const startRead = Effect.fnUntraced(function* (pdf: PdfRef, pages: ReadonlyArray<number>, concurrency: number) {
    const worker = yield* borrow(pdf)
    const wait = yield* CurrentProcessorWait
    wait.millis = worker.waitedFromNow()
    const emit = yield* TraceContext.emitter
    const results = yield* Queue.unbounded<PageResult, PdfEngineError | Cause.Done>()
    worker.start({ _tag: "Read", key: pdf.key, password: secretOf(pdf), pages, concurrency }, pdf.location, {
      timing: emit && workerSpan(emit, "PdfWorker.read", worker.pid(), rangeAttributes(pages)),
      pages: (found) => Queue.offerAllUnsafe(results, found),
      end: (reason) => {
        if (reason === undefined) Queue.endUnsafe(results)
        else Queue.failCauseUnsafe(results, Cause.fail(engineError(reason)))
      }
    })
    return Stream.fromQueue(results)
  })

  return PdfEngine.of({
    capacity: options.workers,
    ready: pool.ready,
    onReady: pool.onReady,
    open,
    read: (pdf, pages, concurrency) => Stream.unwrap(startRead(pdf, pages, concurrency)),
    close: (key) => Effect.sync(() => pool.close(key)),
    status: Effect.map(walls, (found) => ({ ...pool.status(), walls: found.walls }))
  })
})

/**
 * `workers` child processes and a spare, each under `memoryBytes`. They start in the background; the first call waits for one.
 * When the layer is released they are killed, and it waits until they are gone. It fails only with `sandbox: "require"`, if a
 * wall around them is not available.
 */
export const layer = (options: Partial<PdfEngineOptions> = {}): Layer.Layer<PdfEngine, SandboxUnavailable> =>
  Layer.effect(PdfEngine, make({ ...defaultOptions, ...options }))
