// A program for tests: it says what it is told to, waits, or dies.
import { Effect } from "effect"
import { failure } from "../../../src/domain/Failure.ts"
import { serve } from "../../../src/layers/children/Serve.ts"

let tasks = 0
let kept: string | undefined

serve(
  Effect.succeed({
    held: () => (kept === undefined ? [] : [kept]),
    run: (task, bytes, key) => {
      tasks++
      switch (task) {
        case "count":
          return Effect.succeed({ tasks, pid: process.pid })
        case "length":
          return Effect.matchEffect(bytes, {
            onSuccess: (given) => {
              kept = key
              return Effect.succeed(given.length)
            },
            onFailure: ({ failure }) => Effect.fail(failure)
          })
        case "kept":
          return Effect.succeed(kept)
        case "die":
          return Effect.sync(() => process.exit(3))
        case "wait":
          return Effect.never
        default:
          return Effect.fail(failure("STAGE_FAILED", "no such task"))
      }
    }
  })
)
