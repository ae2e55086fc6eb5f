import type { ServerResponse } from "node:http"
import { Clock, Duration, Effect, Latch, Metric } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"

/** Bytes written to the connection that have left node's own buffer. The number only grows. */
const takenBy = ({ socket }: ServerResponse): number =>
  socket === null ? 0 : socket.bytesWritten - socket.writableLength

/**
 * Cuts a connection whose client receives nothing for so long although bytes wait for it. Bytes that the client sends meanwhile
 * do not count as progress; a client that has received everything written so far is never cut.
 */
export const makeStalls = Effect.fnUntraced(function* (after: Duration.Duration, report: Effect.Effect<void>) {
  const longest = Duration.toMillis(after)
  const watched = new Map<ServerResponse, { taken: number; since: number }>()

  const check = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [answer, progress] of watched) {
      const taken = takenBy(answer)
      if (answer.writableLength === 0 || taken !== progress.taken) {
        watched.set(answer, { taken, since: now })
      } else if (now - progress.since >= longest) {
        answer.destroy()
        yield* Metric.update(Telemetry.httpStalled, 1)
      }
    }
    yield* report
  })
  const pause = Duration.min(Duration.seconds(5), Duration.divideUnsafe(after, 4))
  const anyWatched = Latch.makeUnsafe(false)
  const rounds = Effect.gen(function* () {
    yield* anyWatched.await
    yield* Effect.sleep(pause)
    yield* check
    // The next answer to be watched opens the latch again.
    if (watched.size === 0) anyWatched.closeUnsafe()
  })
  yield* rounds.pipe(Effect.forever, Effect.forkScoped)

  /** Watches the answer until its connection closes. */
  return (answer: ServerResponse): Effect.Effect<void> =>
    Effect.map(Clock.currentTimeMillis, (since) => {
      if (watched.has(answer)) return
      watched.set(answer, { taken: takenBy(answer), since })
      anyWatched.openUnsafe()
      answer.once("close", () => watched.delete(answer))
    })
})
