// Keeps a fixed number of page workers alive and lends them out, one call each.
import { Deferred, Effect, Latch, Schedule, type Scope } from "effect"
import type { EngineStatus } from "../../../services/PdfEngine.ts"
import { EngineUnavailable, WorkerDied } from "../../../services/PdfEngine.ts"
import { timeoutOfOwnTime } from "../../../services/ProcessorWait.ts"
import type { LaunchOptions } from "./Launch.ts"
import type { Sandbox } from "./Sandbox.ts"
import type { WorkerProcess } from "./WorkerProcess.ts"
import { startWorker } from "./WorkerProcess.ts"

export interface PoolOptions extends Omit<LaunchOptions, "sandbox"> {
  /** Found once, at the first use. */
  readonly sandbox: Effect.Effect<Sandbox>
  /** Calls worked on at once. One more child is kept warm beside them. */
  readonly workers: number
  readonly recycleAfterPages: number
}

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

/**
 * Shares of the memory a worker may take: from the first on it is replaced when the spare can take over, from the second on in
 * any case.
 */
const wornShare = 0.5
const exhaustedShare = 0.75

/** After so many failed starts of each child, with none alive, callers fail instead of waiting. */
const startsBeforeFailing = 3

/**
 * Milliseconds of the worker's own time. Where its wait for a processor is not known, a worker that needs longer gets twice as
 * long the next time, so that a worker that only waits is not killed again and again.
 */
const startTimeout = 30_000
const mostStartDoublings = 5

const startBackoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.jittered
)

interface Waiter {
  readonly key: string
  readonly granted: Deferred.Deferred<WorkerProcess, EngineUnavailable>
  worker: WorkerProcess | undefined
}

export const makeWorkerPool = Effect.fnUntraced(function* (options: PoolOptions) {
  const children = options.workers + 1
  const scope = yield* Effect.scope
  /** Alive, warm, and not condemned. */
  const ready = new Set<WorkerProcess>()
  const busy = new Set<WorkerProcess>()
  /** Workers that have had a call. The others were spares, have cold caches, and are lent last. */
  const usedBefore = new WeakSet<WorkerProcess>()
  const waiters = new Set<Waiter>()
  const listeners = new Set<() => void>()
  /**
   * Opened when the first worker is ready, or did not start. Until then it has the processors to itself, so that there is one
   * soon.
   */
  const firstTried = Latch.makeUnsafe(false)
  /** Busy workers whose call was interrupted, and that have not stopped yet. */
  let stopping = 0
  let replaced = 0
  let failedStarts = 0
  /** Late starts in a row. */
  let lateStarts = 0
  /** Why no worker is available. */
  let unavailable: EngineUnavailable | undefined

  const preference = (worker: WorkerProcess, key: string): number =>
    (worker.holds(key) ? -2_000 : 0) + (usedBefore.has(worker) ? -1_000 : 0) + worker.heldCount()

  const choose = (key: string): WorkerProcess | undefined => {
    let best: WorkerProcess | undefined
    for (const worker of ready) {
      if (busy.has(worker) || !worker.isAlive()) continue
      if (best === undefined || preference(worker, key) < preference(best, key)) best = worker
    }
    return best
  }

  /** Workers that are lent, and those that could be lent at once. */
  const readyNow = (): number => {
    if (unavailable !== undefined) return options.workers
    let free = 0
    for (const worker of ready) if (!busy.has(worker) && worker.isAlive()) free++
    return busy.size - stopping + Math.min(free, options.workers - busy.size)
  }

  const announce = (): void => {
    for (const listener of listeners) listener()
  }

  const lend = (): void => {
    for (const waiter of waiters) {
      const worker = busy.size < options.workers ? choose(waiter.key) : undefined
      if (worker === undefined) return
      waiters.delete(waiter)
      busy.add(worker)
      usedBefore.add(worker)
      waiter.worker = worker
      Deferred.doneUnsafe(waiter.granted, Effect.succeed(worker))
    }
  }

  const refuseAll = (reason: EngineUnavailable): void => {
    unavailable = reason
    for (const waiter of waiters) Deferred.doneUnsafe(waiter.granted, Effect.fail(reason))
    waiters.clear()
    announce()
  }

  const condemn = (worker: WorkerProcess): void => {
    ready.delete(worker)
    worker.kill()
  }

  const condemnWorn = (): void => {
    for (const worker of ready) {
      if (busy.has(worker)) continue
      const share = worker.memoryUsed()
      const worn = share > wornShare || worker.pagesRead() >= options.recycleAfterPages
      if (share > exhaustedShare || (worn && ready.size > options.workers)) condemn(worker)
    }
  }

  const putBack = (worker: WorkerProcess): void => {
    busy.delete(worker)
    condemnWorn()
    lend()
    announce()
  }

  const stopped = (worker: WorkerProcess) =>
    worker.idle.pipe(
      timeoutOfOwnTime({
        millis: abortGrace,
        waitedMillis: worker.waitedFromNow(),
        orElse: () =>
          Effect.andThen(
            Effect.sync(() => condemn(worker)),
            worker.ended
          )
      })
    )

  const giveBack = (worker: WorkerProcess): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (worker.isIdle()) return Effect.sync(() => putBack(worker))
      worker.abort()
      stopping++
      return Effect.asVoid(
        Effect.forkIn(
          Effect.andThen(
            stopped(worker),
            Effect.sync(() => {
              stopping--
              putBack(worker)
            })
          ),
          scope
        )
      )
    })

  // An interrupted caller leaves the queue, or gives back the worker that was just granted to it.
  const withdraw = (waiter: Waiter) =>
    Effect.suspend(() => {
      waiters.delete(waiter)
      return waiter.worker === undefined ? Effect.void : giveBack(waiter.worker)
    })

  const borrow = (key: string) =>
    Effect.uninterruptibleMask(
      Effect.fnUntraced(function* (restore) {
        if (unavailable !== undefined) return yield* unavailable
        const waiter: Waiter = { key, granted: Deferred.makeUnsafe(), worker: undefined }
        waiters.add(waiter)
        lend()
        const worker = yield* Effect.onInterrupt(restore(Deferred.await(waiter.granted)), () => withdraw(waiter))
        yield* Effect.addFinalizer(() => giveBack(worker))
        return worker
      })
    )

  const startReady = Effect.gen(function* () {
    const worker = yield* startWorker({ ...options, sandbox: yield* options.sandbox })
    yield* worker.ready.pipe(
      timeoutOfOwnTime({
        millis: startTimeout * 2 ** Math.min(lateStarts, mostStartDoublings),
        waitedMillis: worker.waitedSinceStart,
        orElse: () => {
          lateStarts++
          return Effect.fail(new WorkerDied({ memory: false, detail: "it did not become ready in time" }))
        }
      })
    )
    lateStarts = 0
    return worker
  })

  const onFailedStart = (reason: WorkerDied) =>
    Effect.sync(() => {
      firstTried.openUnsafe()
      failedStarts += 1
      if (ready.size > 0 || failedStarts < startsBeforeFailing * children) return
      refuseAll(new EngineUnavailable({ detail: reason.detail }))
    }).pipe(Effect.andThen(Effect.logWarning("a page worker did not start", reason.detail)))

  const oneLife = Effect.gen(function* () {
    const worker = yield* Effect.tapError(startReady, onFailedStart)
    failedStarts = 0
    unavailable = undefined
    ready.add(worker)
    firstTried.openUnsafe()
    condemnWorn()
    lend()
    announce()
    const died = yield* worker.ended
    // A condemned worker is expected to die.
    if (ready.delete(worker)) yield* Effect.logWarning("a page worker died", died.detail)
    replaced += 1
  }).pipe(Effect.scoped)

  const keepOneAlive = oneLife.pipe(Effect.retry(startBackoff), Effect.forever)

  const keepOthersAlive = Effect.forEach(
    Array.from({ length: children - 1 }),
    () => Effect.andThen(firstTried.await, keepOneAlive),
    { concurrency: "unbounded", discard: true }
  )
  // At once: other layers load and build meanwhile, at the same time as the first worker.
  yield* Effect.all([keepOneAlive, keepOthersAlive], { concurrency: "unbounded", discard: true }).pipe(
    Effect.forkIn(scope, { startImmediately: true })
  )
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      refuseAll(new EngineUnavailable({ detail: "they are being stopped" }))
      for (const worker of ready) worker.kill()
    })
  )

  const pool: WorkerPool = {
    borrow,
    ready: readyNow,
    onReady: (listener) =>
      Effect.acquireRelease(
        Effect.sync(() => listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      ),
    close: (key) => {
      for (const worker of ready) worker.close(key)
    },
    status: () => ({
      workers: Array.from(ready, (worker) => ({
        pid: worker.pid(),
        busy: busy.has(worker),
        rssBytes: worker.rssBytes(),
        pagesRead: worker.pagesRead()
      })),
      ...(unavailable !== undefined && { unavailable: unavailable.detail }),
      replaced
    })
  }
  return pool
})
