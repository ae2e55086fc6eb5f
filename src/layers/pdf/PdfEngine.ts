// The engine that reads PDFs with pdf.js in child processes.
import { Cause, Deferred, Effect, Layer, Queue, Redacted, Stream } from "effect"
import { availableParallelism } from "node:os"
import type { PageResult } from "../../domain/Page.ts"
import type { EngineUnavailable, OpenedPdf, PdfRef, PdfUnreadable, WorkerDied } from "../../services/PdfEngine.ts"
import { PdfEngine, PdfEngineError } from "../../services/PdfEngine.ts"
import type { PoolOptions } from "./WorkerPool.ts"
import { makeWorkerPool } from "./WorkerPool.ts"

/** With less than this a worker cannot start, or starts and cannot open the smallest file. */
export const leastMemoryBytes = 256 * 1024 * 1024

export const defaultOptions: PoolOptions = {
  workers: availableParallelism(),
  /** What one worker may use at most: `leastMemoryBytes` or more. */
  memoryBytes: 1000 * 1024 * 1024,
  recycleAfterPages: 20_000,
  maxHeldDocuments: 8
}

const secretOf = (pdf: PdfRef): string | undefined =>
  pdf.password === undefined ? undefined : Redacted.value(pdf.password)

const engineError = (reason: PdfUnreadable | WorkerDied | EngineUnavailable): PdfEngineError =>
  new PdfEngineError({ reason })

const make = Effect.fnUntraced(function* (options: PoolOptions) {
  const pool = yield* makeWorkerPool(options)
  const borrow = (pdf: PdfRef) => Effect.mapError(pool.borrow(pdf.key), engineError)

  const open = Effect.fn("PdfEngine.open")(function* (pdf: PdfRef) {
    const worker = yield* borrow(pdf)
    const answer = yield* Deferred.make<OpenedPdf, PdfEngineError>()
    worker.start({ _tag: "Open", key: pdf.key, password: secretOf(pdf) }, pdf.location, {
      opened: (opened) => Deferred.doneUnsafe(answer, Effect.succeed(opened)),
      pages: () => {},
      end: (reason) => reason !== undefined && Deferred.doneUnsafe(answer, Effect.fail(engineError(reason)))
    })
    return yield* Deferred.await(answer)
  }, Effect.scoped)

  // The queue has no bound of its own: a slow consumer leaves at most the results of the pages it asked for in it.
  const startRead = Effect.fnUntraced(function* (pdf: PdfRef, pages: ReadonlyArray<number>, concurrency: number) {
    const worker = yield* borrow(pdf)
    const results = yield* Queue.unbounded<PageResult, PdfEngineError | Cause.Done>()
    worker.start({ _tag: "Read", key: pdf.key, password: secretOf(pdf), pages, concurrency }, pdf.location, {
      opened: () => {},
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
    open,
    read: (pdf, pages, concurrency) => Stream.unwrap(startRead(pdf, pages, concurrency)),
    close: (key) => Effect.sync(() => pool.close(key)),
    status: Effect.sync(pool.status)
  })
})

/**
 * `workers` child processes and a spare, each under `memoryBytes`. They start in the background; the first call waits for
 * one. When the layer is released they are killed, and it waits until they are gone.
 */
export const layer = (options: Partial<PoolOptions> = {}): Layer.Layer<PdfEngine> =>
  Layer.effect(PdfEngine, make({ ...defaultOptions, ...options }))
