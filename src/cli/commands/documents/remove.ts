import { Console, Effect, Result } from "effect"
import { Argument, Command } from "effect/cli"
import { DocumentId, SluiceClient } from "../../../client.ts"
import { CommandFailed, reported } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { Json } from "../../Json.ts"

export const rm = Command.make(
  "rm",
  {
    ids: Argument.String("ids").pipe(
      Argument.withDescription("The documents' ids"),
      Argument.withSchema(DocumentId),
      Argument.variadic({ min: 1 })
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ ids }) {
      const sluice = yield* SluiceClient
      const json = yield* Json
      let failed = false
      for (const id of ids) {
        // Each is told; those after it are removed all the same.
        const ended = yield* Effect.result(reported(sluice.remove(id)))
        if (Result.isFailure(ended)) failed = true
        else yield* Console.log(json ? JSON.stringify({ id, removed: true }) : `${id} removed`)
      }
      if (failed) return yield* new CommandFailed()
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Removes documents with all that was made of them. One that has not ended is cancelled first."
  ),
  Command.withExamples([{ command: "sluice ls --status failed --json | jq -r .id | xargs sluice rm" }])
)
