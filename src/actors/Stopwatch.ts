import { Clock, Context, Duration, Effect, Layer, Schema } from "effect"
import type { DocumentId } from "../domain/Ids.ts"
import type { Fence } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"

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

  const start = Effect.map(Clock.currentTimeMillis, (now) => {
    if (running++ === 0) since = now
    return Math.max(0, limitMillis - usedMillis - (now - since))
  })

  const stop = Effect.map(Clock.currentTimeMillis, (now) => {
    if (--running === 0) usedMillis += now - since
  })

  return {
    run: <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | RunTimeExceeded, R> =>
      Effect.acquireUseRelease(
        start,
        (leftMillis) =>
          Effect.timeoutOrElse(work, {
            duration: leftMillis,
            orElse: () => Effect.fail(new RunTimeExceeded())
          }),
        () => stop
      )
  }
}
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
