// Keeps a fixed number of page workers alive: starts them, and replaces each one that died.
import { Effect, Latch, Schedule } from "effect"
import { EngineUnavailable, WorkerDied } from "../../../services/PdfEngine.ts"
import { timeoutOfOwnTime } from "../../../services/ProcessorWait.ts"
import type { LaunchOptions } from "./Launch.ts"
import type { Lending } from "./Lending.ts"
import type { Sandbox } from "./Sandbox.ts"
import { startWorker, type WorkerProcess } from "./WorkerProcess.ts"

export interface SupplyOptions extends Omit<LaunchOptions, "sandbox"> {
  /** Found once, at the first use. */
  readonly sandbox: Effect.Effect<Sandbox>
}

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

/** The starts that failed in a row, over all children, and those of them that were too slow. */
class FailedStarts {
  #all = 0
  #late = 0

  /** How long the next start may take, in milliseconds. */
  get timeout(): number {
    return startTimeout * 2 ** Math.min(this.#late, mostStartDoublings)
  }

  late(): void {
    this.#late++
  }

  failed(): void {
    this.#all++
  }

  succeeded(): void {
    this.#all = 0
    this.#late = 0
  }

  areTooMany(children: number): boolean {
    return this.#all >= startsBeforeFailing * children
  }
}

/** Starts a worker and waits until it can take calls. */
const startReady = Effect.fnUntraced(function* (options: SupplyOptions, failures: FailedStarts) {
  const worker = yield* startWorker({ ...options, sandbox: yield* options.sandbox })
  yield* worker.ready.pipe(
    timeoutOfOwnTime({
      millis: failures.timeout,
      waitedMillis: () => worker.waitedSinceStart(),
      orElse: () => {
        failures.late()
        return Effect.fail(new WorkerDied({ memory: false, detail: "it did not become ready in time" }))
      }
    })
  )
  failures.succeeded()
  return worker
})

/** Forks into the scope what keeps so many children alive and adds each to `lending` when it is warm. */
export const keepAlive = Effect.fnUntraced(function* (
  options: SupplyOptions,
  children: number,
  lending: Lending<WorkerProcess>
) {
  const failures = new FailedStarts()
  /**
   * Opened when the first worker is ready, or did not start. Until then it has the processors to itself, so that there is one
   * soon.
   */
  const firstTried = Latch.makeUnsafe(false)

  const onFailedStart = ({ detail }: WorkerDied) =>
    Effect.suspend(() => {
      firstTried.openUnsafe()
      failures.failed()
      if (!lending.hasReady && failures.areTooMany(children)) lending.refuse(new EngineUnavailable({ detail }))
      return Effect.logWarning("a page worker did not start", detail)
    })

  const oneLife = Effect.gen(function* () {
    const worker = yield* Effect.tapError(startReady(options, failures), onFailedStart)
    firstTried.openUnsafe()
    lending.add(worker)
    const reason = yield* worker.ended
    if (lending.died(worker)) yield* Effect.logWarning("a page worker died", reason.detail)
  }).pipe(Effect.scoped)

  const keepOne = oneLife.pipe(Effect.retry(startBackoff), Effect.forever)
  const keepOthers = Effect.replicateEffect(Effect.andThen(firstTried.await, keepOne), children - 1, {
    concurrency: "unbounded",
    discard: true
  })
  // At once: other layers load and build meanwhile, at the same time as the first worker.
  yield* Effect.all([keepOne, keepOthers], { concurrency: "unbounded", discard: true }).pipe(
    Effect.forkScoped({ startImmediately: true })
  )
})
