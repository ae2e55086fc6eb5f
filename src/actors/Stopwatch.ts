import { Context, Duration, Effect, Layer, Schema } from "effect"
import type { DocumentId } from "../domain/Ids.ts"
import type { Fence } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { around } from "./Around.ts"

/** The work took longer, in all, than it may. */
export class RunTimeExceeded extends Schema.TaggedError<RunTimeExceeded>()("RunTimeExceeded", {}) {}

/**
 * Bounds the time during which at least one of several pieces of work runs. Time spent waiting between them is free, so
 * a document is not blamed for the queues it stands in.
 */
export const makeStopwatch = (limit: Duration.Duration) => {
  const limitMillis = Duration.toMillis(limit)
  let usedMillis = 0
  let running = 0
  let since = 0

  const start = (now: number) => {
    if (running++ === 0) since = now
  }

  const stop = (now: number) => {
    if (--running === 0) usedMillis += now - since
  }

  /** Runs the work, but no longer than the limit allows, nor than `own`, which is a limit on this work alone. */
  const runWithin =
    <A2, E2, R2>(own: OwnLimit<A2, E2, R2>) =>
    <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2 | RunTimeExceeded, R | R2> =>
      Effect.clockWith((clock) =>
        around(
          () => start(clock.currentTimeMillisUnsafe()),
          () => stop(clock.currentTimeMillisUnsafe())
        )(
          Effect.suspend(() => {
            const left = Math.max(0, limitMillis - usedMillis - (clock.currentTimeMillisUnsafe() - since))
            // One timer for both: a timeout takes two fibers.
            return Effect.timeoutOrElse(work, {
              duration: Math.min(left, own.millis),
              orElse: (): Effect.Effect<A2, E2 | RunTimeExceeded, R2> =>
                own.millis < left ? own.orElse() : Effect.fail(new RunTimeExceeded())
            })
          })
        )
      )

  return { run: runWithin(noOwnLimit), runWithin }
}

export interface OwnLimit<A, E, R> {
  readonly millis: number
  readonly orElse: () => Effect.Effect<A, E, R>
}

const noOwnLimit: OwnLimit<never, never, never> = { millis: Number.POSITIVE_INFINITY, orElse: () => Effect.never }

export type Stopwatch = ReturnType<typeof makeStopwatch>

/** Documents whose stopwatches are kept. One too many starts from nothing again, as all do after a restart. */
const mostKept = 10_000

/** Keeps the stopwatches of documents that were given back to their queues, for their next runs in this process. */
export class KeptStopwatches {
  readonly #limit: Duration.Duration
  readonly #most: number
  readonly #kept = new Map<DocumentId, { readonly attempt: number; readonly stopwatch: Stopwatch }>()

  constructor(limit: Duration.Duration, most = mostKept) {
    this.#limit = limit
    this.#most = most
  }

  of({ attempt, documentId }: Fence): Stopwatch {
    const kept = this.#kept.get(documentId)
    this.#kept.delete(documentId)
    // With an attempt between, another process has had it.
    return kept?.attempt === attempt - 1 ? kept.stopwatch : makeStopwatch(this.#limit)
  }

  keep({ attempt, documentId }: Fence, stopwatch: Stopwatch): void {
    this.#kept.set(documentId, { attempt, stopwatch })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) return
      this.#kept.delete(oldest)
    }
  }
}

/** The time that documents have been read, over all runs in which they came closer to their end. */
export class Stopwatches extends Context.Service<Stopwatches, KeptStopwatches>()("sluice/actors/Stopwatches") {
  static readonly layer = Layer.effect(
    Stopwatches,
    Effect.map(EngineConfig, ({ documentTimeout }) => new KeptStopwatches(documentTimeout))
  )
}
