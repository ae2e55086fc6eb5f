import { Console, Data, Effect, Layer, Ref, Runtime } from "effect"
import { Command } from "effect/cli"
import { InterruptedExit, reasonOf } from "../CommandFailure.ts"
import { Json } from "../Json.ts"

class CannotStart extends Data.TaggedError("CannotStart")<{}> {
  override readonly [Runtime.errorReported] = false
}

const explain = Effect.fnUntraced(function* (error: Error) {
  const detail = reasonOf(error)
  yield* Console.error(
    (yield* Json) ? JSON.stringify({ error: { code: "CANNOT_START", detail } }) : `Sluice cannot start: ${detail}`
  )
  return yield* new CannotStart()
})

/** Runs until a signal stops it, which is not a failure. */
export const runServer = Effect.fnUntraced(function* () {
  yield* Ref.set(yield* InterruptedExit, 0)
  // Loaded on demand: the other commands do not need the engine and should start fast.
  const { service } = yield* Effect.promise(() => import("../Service.ts"))
  return yield* Effect.catch(Layer.launch(service), explain)
})

export const serve = Command.make("serve", {}, runServer).pipe(
  Command.withDescription(
    "Starts the server, configured by environment variables (see the README). SIGTERM or Ctrl-C stops it in order, a second one at once."
  ),
  Command.withExamples([{ command: "PORT=8080 DATA_DIR=/var/lib/sluice sluice serve" }])
)
