/**
 * Brings what was committed to the disk. A flush costs as much for one commit as for many, so one runs at a time, for all
 * writers that wait when it begins; writers that come meanwhile wait for the next one.
 */
import { type Cause, Effect, type Exit, Fiber, Latch, Queue } from "effect"

/** A writer that is notified when its commit is on the disk, or why it may not be. */
export interface Flushed {
  readonly told: (exit: Exit.Exit<void, unknown>) => void
}

export interface Flushes {
  readonly add: (waiting: ReadonlyArray<Flushed>) => void
  /** No flush is under way. */
  readonly idle: Latch.Latch
}

/** Ends with its scope: what was added by then is still flushed. */
export const make = Effect.fnUntraced(function* <E>(flush: Effect.Effect<void, E>) {
  // Bounded by its callers: each of them waits for its flush.
  const queue = yield* Queue.unbounded<Flushed, Cause.Done>()
  const idle = Latch.makeUnsafe(true)

  const flushAll = Effect.gen(function* () {
    const waiting = yield* Queue.takeAll(queue)
    const exit = yield* Effect.exit(flush)
    if (Queue.sizeUnsafe(queue) === 0) idle.openUnsafe()
    for (const { told } of waiting) told(exit)
  })
  const flusher = yield* flushAll.pipe(Effect.forever, Effect.ignore, Effect.forkScoped)
  yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(flusher)))

  const flushes: Flushes = {
    idle,
    add: (waiting) => {
      if (waiting.length === 0) return
      idle.closeUnsafe()
      Queue.offerAllUnsafe(queue, waiting)
    }
  }
  return flushes
})
