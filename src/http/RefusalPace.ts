import { Clock, Effect } from "effect"
import type { TenantId } from "../domain/Ids.ts"

/** Refusals of one tenant within a second that are answered at once: more than clients that obey ever cause. */
const promptPerSecond = 20
const pause = "250 millis"

/**
 * Slows down who keeps sending without waiting: answering thousands of requests a second, even with no, is work that the
 * uploads of others would wait for. Nothing of the request is read meanwhile.
 */
export const makeRefusalPace = () => {
  /** Of the current second. */
  const refusals = new Map<TenantId, number>()
  let second = 0
  return (tenant: TenantId) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const current = Math.floor(now / 1000)
      if (current !== second) refusals.clear()
      second = current
      const count = (refusals.get(tenant) ?? 0) + 1
      refusals.set(tenant, count)
      return count > promptPerSecond ? Effect.sleep(pause) : Effect.void
    })
}
