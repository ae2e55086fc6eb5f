/**
 * Notices runners that died. The library pings all runners from one of them, and when that is the one that died, the others wait until
 * its heartbeat has run out, which takes ten seconds. So every runner looks for those whose heartbeat is late, and leaves out the ones
 * that do not answer either. One that lives and only seems dead from here has a heartbeat, so it is left alone.
 */
import { Effect } from "effect"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import { Runners } from "effect/cluster/Runners"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import { backgroundLoop } from "../../actors/upkeep/BackgroundLoop.ts"
import { untraced } from "../../observability/Untraced.ts"
import { ClusterDatabase } from "./ClusterDatabase.ts"

/** A heartbeat comes every three seconds. */
const lateAfter = 4

const addressOf = (text: string) => {
  const colon = text.lastIndexOf(":")
  return RunnerAddress.make(text.slice(0, colon), Number(text.slice(colon + 1)))
}

/** Runs until its scope closes. */
export const watchSilentRunners = Effect.gen(function* () {
  const { prefix, sql } = yield* ClusterDatabase
  const runners = yield* Runners
  const storage = yield* RunnerStorage
  const table = sql(`${prefix}_runners`)

  const late = sql<{ address: string }>`
    SELECT address FROM ${table} WHERE healthy AND last_heartbeat < NOW() - ${lateAfter} * interval '1 second'`
  const leaveOut = Effect.fnUntraced(function* (text: string) {
    const address = addressOf(text)
    const answers = yield* runners
      .ping(address)
      .pipe(Effect.timeout("1 second"), Effect.retry({ times: 1 }), Effect.isSuccess)
    if (answers) return
    yield* storage.setRunnerHealth(address, false)
    yield* Effect.logWarning("a runner is silent and left out").pipe(Effect.annotateLogs({ runner: text }))
  })
  const pass = Effect.flatMap(late, (rows) =>
    Effect.forEach(rows, ({ address }) => leaveOut(address), { concurrency: 4, discard: true })
  )
  yield* backgroundLoop({
    name: "the search for silent runners",
    pass: untraced(pass),
    rest: Effect.sleep("500 millis")
  })
})
