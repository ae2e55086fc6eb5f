import { Clock, Effect } from "effect"

/** The milliseconds that a header `Retry-After` asks to wait: seconds, or a date. Nothing for any other text. */
export const parseRetryAfter = (header: string | undefined): Effect.Effect<number | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    if (header === undefined) return undefined
    if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1_000
    const moment = Date.parse(header)
    return Number.isNaN(moment) ? undefined : Math.max(0, moment - now)
  })
