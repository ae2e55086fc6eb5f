// Keeps a fixed number of page workers alive and lends them out, one call each.
import { Deferred, Effect, type Scope } from "effect"
import { EngineUnavailable, type EngineStatus } from "../../../services/PdfEngine.ts"
import { timeoutOfOwnTime } from "../../../services/ProcessorWait.ts"
import { Lending, type LendingOptions } from "./Lending.ts"
import type { WorkerProcess } from "./WorkerProcess.ts"
import { keepAlive, type SupplyOptions } from "./WorkerSupply.ts"

export interface PoolOptions extends SupplyOptions, LendingOptions {}

export interface WorkerPool {
  /**
   * Lends a worker until the scope ends, in the order of asking; one that holds the document is preferred among those
   * that are free. Work that is unfinished when the scope ends is stopped in the background, and the worker is not lent
   * again before it has stopped.
   */
  readonly borrow: (key: string) => Effect.Effect<WorkerProcess, EngineUnavailable, Scope.Scope>
  /** See `PdfEngine.ready`. */
  readonly ready: () => number
  readonly onReady: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
  readonly close: (key: string) => void
  readonly status: () => EngineStatus
}

/** How long an interrupted worker may take to confirm that it has stopped before it is killed, in milliseconds. */
const abortGrace = 100

export const makeWorkerPool = Effect.fnUntraced(function* (options: PoolOptions) {
  const scope = yield* Effect.scope
  const lending = new Lending<WorkerProcess>(options)

  /** Succeeds when the worker has stopped. One that does not is killed. */
  const untilStopped = (worker: WorkerProcess) =>
    worker.idle.pipe(
      timeoutOfOwnTime({
        millis: abortGrace,
        waitedMillis: worker.waitedFromNow(),
        orElse: () =>
          Effect.andThen(
            Effect.sync(() => lending.condemn(worker)),
            worker.ended
          )
      }),
      Effect.andThen(Effect.sync(() => lending.stopped(worker)))
    )

  const giveBack = (worker: WorkerProcess): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (worker.isIdle()) return Effect.sync(() => lending.giveBack(worker))
      worker.abort()
      lending.stopping()
      return Effect.asVoid(Effect.forkIn(untilStopped(worker), scope))
    })

  const borrow = (key: string) =>
    Effect.uninterruptibleMask(
      Effect.fnUntraced(function* (restore) {
        const waiter = lending.request(key)
        if (waiter instanceof EngineUnavailable) return yield* waiter
        // An interrupted caller leaves the queue, or gives back the worker that was just granted to it.
        const withdraw = Effect.suspend(() => {
          const granted = lending.withdraw(waiter)
          return granted === undefined ? Effect.void : giveBack(granted)
        })
        const worker = yield* Effect.onInterrupt(restore(Deferred.await(waiter.granted)), () => withdraw)
        yield* Effect.addFinalizer(() => giveBack(worker))
        return worker
      })
    )

  yield* keepAlive(options, options.workers + 1, lending)
  yield* Effect.addFinalizer(() => Effect.sync(() => lending.close()))

  const pool: WorkerPool = {
    borrow,
    ready: () => lending.readyCount(),
    onReady: (listener) =>
      Effect.acquireRelease(
        Effect.sync(() => lending.onReady(listener)),
        (remove) => Effect.sync(remove)
      ),
    close: (key) => lending.closeDocument(key),
    status: () => lending.status()
  }
  return pool
})
