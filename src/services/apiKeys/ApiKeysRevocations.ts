import { type Duration, Effect, Schedule } from "effect"
import type { ApiKeyId } from "../../domain/tenant/ApiKey.ts"

/**
 * Notifies work that goes on under a key of the key's revocation: at once if this process revoked it, and at the next check if
 * another one did. Holds nothing for keys without such work.
 */
export const makeRevocations = (checkEvery: Duration.Input) => {
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
        Effect.asVoid(Effect.repeat(isKey, { schedule: Schedule.spaced(checkEvery), while: (is) => is }))
      )
  }
}
