import { Effect, Random } from "effect"
import { retryAfterMillis } from "../../domain/net/HttpDate.ts"

// When a failed delivery is tried again: twelve tries, spread over about a day.

export const maxAttempts = 12

const firstDelayMillis = 10_000
const growth = 3
const maxDelayMillis = 5 * 3_600_000
/** Each delay is up to this part longer or shorter, so that deliveries that failed together are not retried together. */
const jitter = 0.2
/** The shortest time between a failed try and the next one. */
export const shortestDelayMillis = firstDelayMillis * (1 - jitter)
/** A longer Retry-After of a receiver is cut to this. */
const maxRetryAfterMillis = 86_400_000

/** After the first, second, ... failed try: 10 s, 30 s, 90 s and so on, at most 5 h. */
export const delayMillis = (failedAttempts: number): number =>
  Math.min(firstDelayMillis * growth ** (failedAttempts - 1), maxDelayMillis)

/** The time of the next try, no earlier than the receiver asked for; `undefined` after the last try. */
export const nextAttemptAt = Effect.fnUntraced(function* (
  failedAttempts: number,
  now: number,
  retryAfter: string | undefined
) {
  if (failedAttempts >= maxAttempts) return undefined
  const spread = 1 + jitter * (2 * (yield* Random.next) - 1)
  const asked = Math.min(retryAfterMillis(retryAfter, now) ?? 0, maxRetryAfterMillis)
  const delay = Math.max(delayMillis(failedAttempts) * spread, asked)
  return now + Math.round(delay)
})
