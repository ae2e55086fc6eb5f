import { Context, Duration, Effect, Layer, Schema } from "effect"
import type { DocumentId } from "../../domain/Ids.ts"
import type { Fence } from "../../services/store/Fence.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { CurrentProcessorWait, monotonicMillis, ProcessorWait, untilNoneLeft } from "../../services/ProcessorWait.ts"
import { bracket } from "../gates/Bracket.ts"

/** The work took longer, in total, than its limit allows. */
export class RunTimeExceeded extends Schema.TaggedError<RunTimeExceeded>()("RunTimeExceeded", {}) {}

/** One of several pieces of work that run side by side. */
interface Piece {
  readonly since: number
  readonly wait: ProcessorWait
}

/**
 * The time during which at least one of several pieces of work runs, by a monotonic clock. Time between them does not count,
 * nor does the part of their time in which they waited for a processor: neither queues nor a busy machine use up the budget of
 * a document.
 */
const makeRunTime = () => {
  const running = new Set<Piece>()
  let usedMillis = 0
  /** The present period without a gap: its start, and the sums of the pieces that ended in it. */
  let since = 0
  let endedMillis = 0
  let endedWaits = 0

  const stretch = (now: number) => {
    let millis = endedMillis
    let waits = endedWaits
    for (const piece of running) {
      millis += now - piece.since
      waits += piece.wait.millis()
    }
    return millis > 0 ? (now - since) * (1 - Math.min(1, waits / millis)) : 0
  }

  return {
    used: (now: number) => (running.size === 0 ? usedMillis : usedMillis + stretch(now)),
    start: (piece: Piece) => {
      if (running.size === 0) {
        since = piece.since
        endedMillis = 0
        endedWaits = 0
      }
      running.add(piece)
    },
    stop: (piece: Piece, now: number) => {
      if (running.size === 1) usedMillis += stretch(now)
      running.delete(piece)
      endedMillis += now - piece.since
      endedWaits += piece.wait.millis()
    }
  }
}

/** Bounds the run time of several pieces of work together. */
export const makeRunTimeBudget = (limit: Duration.Duration) => {
  const limitMillis = Duration.toMillis(limit)
  const runTime = makeRunTime()

  /** Runs the work within the common limit and within `own`, a limit on this work alone. */
  const runWithin =
    <A2, E2, R2>(own: OwnLimit<A2, E2, R2>) =>
    <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2 | RunTimeExceeded, R | R2> =>
      Effect.clockWith((clock) =>
        Effect.suspend(() => {
          const wait = new ProcessorWait()
          const piece: Piece = { since: monotonicMillis(clock), wait }
          const ownLeft = () => own.millis - (monotonicMillis(clock) - piece.since - wait.millis())
          const left = () => limitMillis - runTime.used(monotonicMillis(clock))
          // One timer for both: a timeout takes two fibers.
          const expired = untilNoneLeft(() => Math.min(left(), ownLeft())).pipe(
            Effect.andThen(
              Effect.suspend((): Effect.Effect<A2, E2 | RunTimeExceeded, R2> =>
                ownLeft() < left() ? own.orElse() : Effect.fail(new RunTimeExceeded())
              )
            )
          )
          return bracket(
            () => runTime.start(piece),
            () => runTime.stop(piece, monotonicMillis(clock))
          )(Effect.raceFirst(Effect.provideService(work, CurrentProcessorWait, wait), expired))
        })
      )

  return { run: runWithin(noOwnLimit), runWithin }
}

export interface OwnLimit<A, E, R> {
  /** Milliseconds, without the time spent waiting for a processor. */
  readonly millis: number
  readonly orElse: () => Effect.Effect<A, E, R>
}

const noOwnLimit: OwnLimit<never, never, never> = { millis: Number.POSITIVE_INFINITY, orElse: () => Effect.never }

export type RunTimeBudget = ReturnType<typeof makeRunTimeBudget>

/** The number of budgets kept. A document whose budget was dropped starts a new one, as all do after a restart. */
const mostKept = 10_000

/** Keeps the budgets of documents that were given back to their queues, for their next runs in this process. */
export class KeptRunTimeBudgets {
  readonly #limit: Duration.Duration
  readonly #most: number
  readonly #kept = new Map<DocumentId, { readonly attempt: number; readonly budget: RunTimeBudget }>()

  constructor(limit: Duration.Duration, most = mostKept) {
    this.#limit = limit
    this.#most = most
  }

  of({ attempt, documentId }: Fence): RunTimeBudget {
    const kept = this.#kept.get(documentId)
    this.#kept.delete(documentId)
    // If there was an attempt in between, another process ran it.
    return kept?.attempt === attempt - 1 ? kept.budget : makeRunTimeBudget(this.#limit)
  }

  keep({ attempt, documentId }: Fence, budget: RunTimeBudget): void {
    this.#kept.set(documentId, { attempt, budget })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) return
      this.#kept.delete(oldest)
    }
  }
}

/** The run time that documents have used, over all runs in which they made progress. */
export class RunTimeBudgets extends Context.Service<RunTimeBudgets, KeptRunTimeBudgets>()(
  "sluice/actors/document/RunTimeBudget/RunTimeBudgets"
) {
  static readonly layer = Layer.effect(
    RunTimeBudgets,
    Effect.map(EngineConfig, ({ documentTimeout }) => new KeptRunTimeBudgets(documentTimeout))
  )
}
