import { Console, Effect, Option, Ref, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { DocumentId, type DocumentEvent, SluiceClient } from "../../../client.ts"
import { InterruptedExit, reported } from "../../CommandFailure.ts"
import { connected, connection } from "../../Connection.ts"
import { progressOf } from "../../Describe.ts"
import { PageEvent } from "../../../http/api/Events.ts"
import { QueueStatusView } from "../../../http/api/Queue.ts"
import { ListedDocument } from "../../../http/api/views/DocumentView.ts"
import { Json, printJson } from "../../Json.ts"
import { printable } from "../../Text.ts"

/** As it is printed with `--json`: the data is no text within the text. */
const printedAs = <const Event extends string, Data extends Schema.Codec<unknown, unknown>>(event: Event, data: Data) =>
  Schema.Struct({ id: Schema.String, event: Schema.Literal(event), data })
const Printed = Schema.Union([
  printedAs("document", ListedDocument),
  printedAs("page", PageEvent),
  printedAs("queue", QueueStatusView)
])

const lineOf = ({ data, event }: DocumentEvent): string => {
  if (event === "queue") return `queue ${data.queue_size} waiting, ${data.processing} of ${data.max_concurrent} open`
  if (event === "page")
    return `${data.documentId} page ${data.page} ${data.status} (${data.done} of ${data.pages ?? "?"})`
  return printable(`${data.id} ${data.status} ${progressOf(data.progress)} ${data.name}`)
}

export const events = Command.make(
  "events",
  {
    id: Argument.String("id").pipe(
      Argument.withDescription("A document, whose end ends the command; all of the tenant when absent"),
      Argument.withSchema(DocumentId),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Of all tenants; takes the administrator's key"),
      Flag.withDefault(false)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ all, id }) {
      // Ctrl-C is the normal end of this command.
      yield* Ref.set(yield* InterruptedExit, 0)
      const sluice = yield* SluiceClient
      const json = yield* Json
      yield* sluice
        .events({ id: Option.getOrUndefined(id), ...(all ? { scope: "all" as const } : {}) })
        .pipe(Stream.runForEach((event) => (json ? printJson(Printed, event) : Console.log(lineOf(event)))))
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Prints what happens, one line each: states of documents and results of pages. With --json one object per line. Ctrl-C ends it."
  ),
  Command.withExamples([
    { command: "sluice events" },
    { command: "sluice events --json | jq -c 'select(.event == \"page\")'" }
  ])
)
