import { constants } from "node:os"

/** A terminal signals the whole foreground group, and npm passes the signal on as well: all of that is one request to stop. */
const sameRequestMillis = 500

/**
 * The first SIGTERM or SIGINT stops the program in order, which may take as long as the shutdown grace. A second one stops it
 * at once: the process exits with 128 and the signal's number, as if it had been killed. That loses nothing, since everything
 * it promised is durable, but documents then wait until their leases have run out.
 */
export const exitAtSecondSignal = (): void => {
  let first: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now()
    first ??= now
    if (now - first >= sameRequestMillis) process.exit(128 + constants.signals[signal])
  }
  process.on("SIGTERM", onSignal)
  process.on("SIGINT", onSignal)
}
