import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { DocumentId, SluiceClient } from "../../client.ts"
import { DocumentView } from "../../http/api/views/DocumentView.ts"
import { RunnersView } from "../../http/api/Workers.ts"
import { QueueStatusView } from "../../http/api/Queue.ts"
import { connected, connection } from "../Connection.ts"
import { documentLines, queueLines, runnersLines } from "../Describe.ts"
import { reported } from "../CommandFailure.ts"
import { show } from "../Json.ts"

export const status = Command.make(
  "status",
  {
    id: Argument.String("id").pipe(
      Argument.withDescription("A document; the queue when absent"),
      Argument.withSchema(DocumentId),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("The queue of the whole engine instead of the tenant's"),
      Flag.withDefault(false)
    ),
    runners: Flag.Boolean("runners").pipe(
      Flag.withDescription("The processes of the engine, and what each has; takes the administrator's key"),
      Flag.withDefault(false)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ all, id, runners }) {
      const sluice = yield* SluiceClient
      if (runners) return yield* show(RunnersView, { runners: yield* sluice.runners }, runnersLines)
      if (Option.isSome(id)) return yield* show(DocumentView, yield* sluice.status(id.value), documentLines)
      return yield* show(QueueStatusView, yield* sluice.queue(all ? "all" : undefined), queueLines)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Shows the queue; or one document with its progress, why it waits, and when it will probably have ended."
  ),
  Command.withExamples([
    { command: "sluice status" },
    { command: "sluice status --runners" },
    { command: "sluice status 01a207b0-622e-7327-b679-1bc44ce43310" }
  ])
)
