import { Effect, Random } from "effect"

// When a delivery that failed is tried again: twelve tries, spread over about a day.

export const maxAttempts = 12

const firstDelayMillis = 10_000
const growth = 3
const maxDelayMillis = 5 * 3_600_000
/** Each delay is up to this part longer or shorter, so that what failed together does not come back together. */
const jitter = 0.2
/** No message is tried again any earlier than this after it failed. */
export const shortestDelayMillis = firstDelayMillis * (1 - jitter)
/** A receiver is not waited for any longer than this, whatever it asks for. */
const maxRetryAfterMillis = 86_400_000

/** After the first, second, ... failed try: 10 s, 30 s, 90 s and so on, at most 5 h. */
export const delayMillis = (failedAttempts: number): number =>
  Math.min(firstDelayMillis * growth ** (failedAttempts - 1), maxDelayMillis)

/** Seconds, or a date. What is neither is not there. */
export const retryAfterMillis = (header: string | undefined, now: number): number => {
  if (header === undefined) return 0
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), maxRetryAfterMillis)
}

/** The moment of the next try: no earlier than the receiver asked for. None after the last try. */
export const nextAttemptAt = Effect.fnUntraced(function* (
  failedAttempts: number,
  now: number,
  retryAfter: string | undefined
) {
  if (failedAttempts >= maxAttempts) return undefined
  const spread = 1 + jitter * (2 * (yield* Random.next) - 1)
  const delay = Math.max(delayMillis(failedAttempts) * spread, retryAfterMillis(retryAfter, now))
  return now + Math.round(delay)
})
