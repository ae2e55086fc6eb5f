/** One query for many callers that ask the same at once. */
import { Deferred, Effect } from "effect"

/**
 * Callers share the query that begins after they have asked, so what they have written before is in its answer. While one is under
 * way the next waits for its end: there are never more than two, however many ask. It goes on when a caller is interrupted.
 */
export const shared = <A, E>(query: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let next: Deferred.Deferred<A, E> | undefined
  let running: Deferred.Deferred<A, E> | undefined

  const begin = (answer: Deferred.Deferred<A, E>): Effect.Effect<void> =>
    Effect.suspend(() => {
      next = undefined
      running = answer
      return query
    }).pipe(
      Effect.exit,
      Effect.flatMap((exit) => {
        running = undefined
        Deferred.doneUnsafe(answer, exit)
        return next === undefined ? Effect.void : begin(next)
      })
    )

  return Effect.suspend(() => {
    if (next !== undefined) return Deferred.await(next)
    const answer = Deferred.makeUnsafe<A, E>()
    next = answer
    return running === undefined
      ? Effect.andThen(Effect.forkDetach(begin(answer)), Deferred.await(answer))
      : Deferred.await(answer)
  })
}

/** The same for queries that differ by a key. Nothing is kept of a key that nobody asks for. */
export const sharedBy = <K, A, E>(query: (key: K) => Effect.Effect<A, E>): ((key: K) => Effect.Effect<A, E>) => {
  const asked = new Map<K, { readonly ask: Effect.Effect<A, E>; callers: number }>()
  return (key) =>
    Effect.suspend(() => {
      const entry = asked.get(key) ?? { ask: shared(query(key)), callers: 0 }
      asked.set(key, entry)
      entry.callers++
      return Effect.ensuring(
        entry.ask,
        Effect.sync(() => {
          entry.callers--
          if (entry.callers === 0 && asked.get(key) === entry) asked.delete(key)
        })
      )
    })
}
