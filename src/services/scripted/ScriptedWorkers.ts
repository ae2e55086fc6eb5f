import { Duration, Effect, Semaphore, type Scope } from "effect"
import type { PdfEngineError } from "../PdfEngine.ts"

/** The workers of a scripted engine. Each takes `starting` to be ready: at first, and after a death. */
export const makeScriptedWorkers = Effect.fnUntraced(function* (capacity: number, starting: Duration.Input) {
  const startsAtOnce = Duration.isZero(Duration.fromInputUnsafe(starting))
  const scope = yield* Effect.scope
  const listeners = new Set<() => void>()
  let ready = startsAtOnce ? capacity : 0
  const permits = yield* Semaphore.make(ready)

  const setReady = (count: number) =>
    Effect.suspend(() => {
      const risen = count > ready
      ready = count
      return Effect.map(permits.resize(count), () => {
        if (risen) for (const listener of listeners) listener()
      })
    })
  const startWorker = Effect.suspend(() => setReady(ready + 1)).pipe(
    Effect.delay(starting),
    Effect.forkIn(scope, { startImmediately: true })
  )
  if (!startsAtOnce) yield* Effect.replicateEffect(startWorker, capacity, { discard: true })

  /** Replaces the worker if it died in the call. */
  const replacing = <A>(call: Effect.Effect<A, PdfEngineError>) =>
    Effect.tapError(call, ({ reason }) =>
      startsAtOnce || reason._tag !== "WorkerDied"
        ? Effect.void
        : Effect.andThen(
            Effect.suspend(() => setReady(ready - 1)),
            startWorker
          )
    )

  const onReady = (listener: () => void): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => listeners.add(listener)),
      () => Effect.sync(() => listeners.delete(listener))
    )

  return { ready: () => ready, onReady, replacing, take: Semaphore.takeScoped(permits, 1) }
})
