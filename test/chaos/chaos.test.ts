import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { isViolated } from "./findings.ts"
import { runChaos } from "./run.ts"

// The full form is `npm run chaos`.
it.live.skipIf(process.platform !== "linux")(
  "Five kills at random moments lose nothing, double nothing and leave nothing behind",
  () =>
    Effect.gen(function* () {
      const { findings } = yield* runChaos({ kills: 5, seed: 3, mostWaiting: 8, longestPauseMillis: 2_000 })
      assert.deepStrictEqual(findings.filter(isViolated), [])
    })
)
