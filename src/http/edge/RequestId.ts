import { Effect, Random } from "effect"

/** The caller's request id is kept if it is fit for a log line. */
const acceptableId = /^[A-Za-z0-9._-]{1,64}$/

/** Gives a request its id: the one that it brings, or a new one that is unique across restarts. */
export const makeRequestIds = Effect.map(Random.nextIntBetween(0, 2 ** 31), (random) => {
  const run = random.toString(36)
  let requests = 0
  return (given: unknown): string =>
    typeof given === "string" && acceptableId.test(given) ? given : `${run}-${++requests}`
})

/** The headers of every answer. */
export const answerHeaders = (requestId: string): Record<string, string> => ({
  "x-request-id": requestId,
  // Text from an untrusted PDF must never be interpreted as another type.
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
})
