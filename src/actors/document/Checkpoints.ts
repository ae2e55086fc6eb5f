/** Makes pages durable in separate fibers, while the range that they came from goes on. */
import { type Clock, Deferred, Effect, type Fiber, Semaphore } from "effect"
import type { PageResult } from "../../domain/document/Page.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import type { CheckpointError } from "./PageRange.ts"

/** The pages of one document that may be read but not yet checkpointed; beyond it, reading waits for a slow store. */
const maxUnsavedPages = 128
/** A limit, so that one write takes a few milliseconds at most, and a batch never waits for all the others. */
const maxBatchPages = 32

/** The fiber that makes durable the pages that came together. */
export type Batch = Fiber.Fiber<void, CheckpointError>

export interface Checkpoints {
  /** The span of the checkpoints of one range; `undefined` where nothing is traced. */
  readonly range: () => CheckpointSpan | undefined
  /** Forks the checkpoints of the pages, in batches. Waits while too many pages are not checkpointed yet. */
  readonly fork: (
    pages: ReadonlyArray<PageResult>,
    span: CheckpointSpan | undefined
  ) => Effect.Effect<ReadonlyArray<Batch>>
  /** Fails as soon as a checkpoint has failed. */
  readonly failed: Effect.Effect<never, CheckpointError>
}

/** The fibers of the checkpoints end with the scope. */
export const makeCheckpoints = Effect.fnUntraced(function* (
  checkpoint: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
) {
  const unsaved = yield* Semaphore.make(maxUnsavedPages)
  const scope = yield* Effect.scope
  const emit = yield* TraceContext.emitter
  const broken = yield* Deferred.make<never, CheckpointError>()

  const forkBatch = (pages: ReadonlyArray<PageResult>, span: CheckpointSpan | undefined) => {
    const saved = checkpoint(pages)
    return unsaved.take(pages.length).pipe(
      Effect.andThen(
        (span === undefined ? saved : span.around(pages.length, saved)).pipe(
          Effect.tapCause((cause) => Deferred.failCause(broken, cause)),
          Effect.ensuring(unsaved.release(pages.length)),
          // Not a child of the range, which ends before its last checkpoints do.
          Effect.forkIn(scope)
        )
      )
    )
  }

  const fork = Effect.fnUntraced(function* (pages: ReadonlyArray<PageResult>, span: CheckpointSpan | undefined) {
    const batches: Array<Batch> = []
    for (let from = 0; from < pages.length; from += maxBatchPages) {
      batches.push(yield* forkBatch(pages.slice(from, from + maxBatchPages), span))
    }
    return batches
  })

  const checkpoints: Checkpoints = {
    range: () => emit && new CheckpointSpan(emit),
    fork,
    failed: Deferred.await(broken)
  }
  return checkpoints
})

/** Shows the checkpoints of one range as one span, from the first that began to the last that ended. */
export class CheckpointSpan {
  readonly #emit: TraceContext.Emit
  #from: number | undefined
  #open = 1
  #pages = 0

  constructor(emit: TraceContext.Emit) {
    this.#emit = emit
  }

  /** Counts one checkpoint of `pages` pages from now on: its fiber may begin after the range has ended. */
  around<A, E, R>(pages: number, checkpoint: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    this.#open++
    this.#pages += pages
    return Effect.clockWith((clock) => {
      this.#from ??= clock.currentTimeMillisUnsafe()
      return Effect.ensuring(
        checkpoint,
        Effect.sync(() => this.#end(clock))
      )
    })
  }

  /** The range has ended: no further checkpoint begins. */
  readonly close: Effect.Effect<void> = Effect.clockWith((clock) => Effect.sync(() => this.#end(clock)))

  #end(clock: Clock.Clock): void {
    if (--this.#open > 0 || this.#from === undefined) return
    this.#emit({
      name: "DocumentActor.checkpoints",
      from: this.#from,
      to: clock.currentTimeMillisUnsafe(),
      attributes: { "range.pages": this.#pages }
    })
  }
}
