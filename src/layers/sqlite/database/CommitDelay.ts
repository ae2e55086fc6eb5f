/** When the next batch begins: whether anything makes it worth to wait for more writers. */
import { Clock, Effect, Latch } from "effect"
import type { Flushes } from "./Flushes.ts"
import type { Manner } from "./Transactions.ts"

/** A latch that is open as long as a writer that entered has not left. */
const countedLatch = () => {
  const latch = Latch.makeUnsafe(false)
  let inside = 0
  const enter = () => {
    let entered = true
    inside++
    latch.openUnsafe()
    return () => {
      if (entered && --inside === 0) latch.closeUnsafe()
      entered = false
    }
  }
  return { latch, enter }
}

/** `intervalMillis` lies between two commits of batched writers, unless others wait. */
export const makeCommitDelay = (intervalMillis: number, flushes: Flushes) => {
  /** Closed while all writers that wait are batched. */
  const urgent = countedLatch()
  /** Closed while all writers that wait would have to wait for the next flush anyway. */
  const deferred = countedLatch()
  let lastBatched = Number.NEGATIVE_INFINITY

  return {
    /** A writer of this manner waits, until the function is called that this returns. */
    enter: (manner: Manner) => {
      const leaveUrgent = manner === "batched" ? undefined : urgent.enter()
      const leaveDeferred = manner === "deferred" ? deferred.enter() : undefined
      return () => {
        leaveUrgent?.()
        leaveDeferred?.()
      }
    },
    /** Batched writers were committed at this moment. */
    committedBatched: (now: number) => {
      lastBatched = now
    },
    wait: Effect.gen(function* () {
      if (!flushes.idle.isOpen() && !deferred.latch.isOpen())
        yield* Effect.raceFirst(flushes.idle.await, deferred.latch.await)
      // A clock that was set back must not prolong the wait.
      const millis = Math.min(intervalMillis, lastBatched + intervalMillis - (yield* Clock.currentTimeMillis))
      if (millis > 0 && !urgent.latch.isOpen()) yield* Effect.raceFirst(Effect.sleep(millis), urgent.latch.await)
    })
  }
}

export type CommitDelay = ReturnType<typeof makeCommitDelay>
