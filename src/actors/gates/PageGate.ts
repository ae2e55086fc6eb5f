import { Effect, Option, type Scope, Semaphore } from "effect"
import { recordWait, trackInUse, throughGate } from "./GateMetrics.ts"

/** The limit on pages of one document being read at once. It may change while the document is read. */
export interface PageGate {
  readonly semaphore: Semaphore.Semaphore
  readonly limit: () => number
}

/**
 * The page gates of one tenant's open documents. All have the same limit: a raised limit holds at once, a lowered one as
 * permits come back.
 */
export const makePageGates = (initial: number) => {
  const open = new Set<Semaphore.Semaphore>()
  let limit = initial
  const openGate: Effect.Effect<PageGate, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => {
      const semaphore = Semaphore.makeUnsafe(limit)
      open.add(semaphore)
      return { semaphore, limit: () => limit }
    }),
    ({ semaphore }) => Effect.sync(() => open.delete(semaphore))
  )
  const resize = (pages: number) =>
    Effect.suspend(() => {
      if (pages === limit) return Effect.void
      limit = pages
      return Effect.forEach(open, (semaphore) => semaphore.resize(pages), { discard: true })
    })
  return { open: openGate, resize }
}

/**
 * Runs the work with at most `most` permits, and passes their number to it. It waits only for the first permit, since a limit
 * lowered meanwhile may leave no more.
 */
export const throughPageGate = <A, E, R>(
  { semaphore }: PageGate,
  most: number,
  work: (permits: number) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const withMore = (more: number): Effect.Effect<A, E, R> =>
    more === 0
      ? work(1)
      : semaphore
          .withPermitsIfAvailable(more)(trackInUse("page", more)(work(1 + more)))
          .pipe(Effect.flatMap(Option.match({ onNone: () => withMore(more - 1), onSome: Effect.succeed })))
  const waiting = throughGate("page", semaphore)(withMore(most - 1))
  const atOnce = Effect.clockWith((clock) =>
    recordWait("page", clock, clock.currentTimeMillisUnsafe(), most)(work(most))
  )
  return semaphore
    .withPermitsIfAvailable(most)(atOnce)
    .pipe(Effect.flatMap((done) => (Option.isSome(done) ? Effect.succeed(done.value) : waiting)))
}
