import { Effect } from "effect"
import type { ApiKeyId } from "../../domain/tenant/ApiKey.ts"

/** Notifies work that goes on under a key of the key's revocation. Holds nothing for keys without such work. */
export const makeRevocations = () => {
  const waiting = new Map<ApiKeyId, Set<() => void>>()
  return {
    announce: (id: ApiKeyId): void => waiting.get(id)?.forEach((resume) => resume()),
    /** Completes once the key is revoked, and at once if it is not valid any more. */
    wait: (id: ApiKeyId, isKey: Effect.Effect<boolean>): Effect.Effect<void> =>
      Effect.raceFirst(
        Effect.callback<void>((resume) => {
          const done = () => resume(Effect.void)
          const others = waiting.get(id) ?? new Set()
          waiting.set(id, others.add(done))
          return Effect.sync(() => {
            others.delete(done)
            if (others.size === 0 && waiting.get(id) === others) waiting.delete(id)
          })
        }),
        // Checked after the wait has begun, so that no revocation is missed in between.
        Effect.flatMap(isKey, (is) => (is ? Effect.never : Effect.void))
      )
  }
}
