import { Effect, Random } from "effect"

/** The caller's request id is kept if it is fit for a log line. */
const acceptableId = /^[A-Za-z0-9._-]{1,64}$/

/** Gives requests their ids: their own, or one that no other request of any run has. */
export const makeRequestIds = Effect.map(Random.nextIntBetween(0, 2 ** 31), (random) => {
  const run = random.toString(36)
  let requests = 0
  return (given: unknown): string =>
    typeof given === "string" && acceptableId.test(given) ? given : `${run}-${++requests}`
})

/** Of every answer, whatever it is. */
export const answerHeaders = (requestId: string): Record<string, string> => ({
  "x-request-id": requestId,
  // Text out of a stranger's PDF must stay text.
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
})
