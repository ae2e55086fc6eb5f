import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { reported } from "../../CommandFailure.ts"
import { connected, connection, documentId } from "../../Connection.ts"
import { asLines } from "../../ingest/Formats.ts"
import { outFlag, tellGaps, writeOut } from "../../Output.ts"

const mark = Flag.Boolean("mark").pipe(
  Flag.withDescription("Mark the places of pages without text, and of incomplete ones"),
  Flag.withDefault(false)
)

const markOf = (mark: boolean) => (mark ? { mark: "missing" as const } : {})

export const text = Command.make(
  "text",
  { id: documentId, out: outFlag, mark, ...connection },
  Effect.fnUntraced(
    function* ({ id, mark, out }) {
      const sluice = yield* SluiceClient
      const { text, ...told } = yield* sluice.text(id, markOf(mark))
      yield* writeOut(out, Stream.encodeText(text))
      yield* tellGaps(told)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Writes the text of the finished pages, with form feeds between them. What is missing is said on standard error."
  ),
  Command.withExamples([{ command: "sluice text 01a207b0-622e-7327-b679-1bc44ce43310 | less" }])
)

export const pages = Command.make(
  "pages",
  {
    id: documentId,
    lines: Flag.Boolean("lines").pipe(Flag.withDescription("With lines and their places"), Flag.withDefault(false)),
    out: outFlag,
    ...connection
  },
  Effect.fnUntraced(
    function* ({ id, lines, out }) {
      const sluice = yield* SluiceClient
      yield* writeOut(out, asLines(sluice.pages(id, { lines })))
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription("Writes every finished page as one line of JSON, in order."),
  Command.withExamples([
    { command: "sluice pages 01a207b0-622e-7327-b679-1bc44ce43310 | jq -r 'select(.status == \"failed\") | .number'" }
  ])
)

const formats = { markdown: "markdown", html: "html", json: "json" } as const

const page = (name: "from" | "to", description: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.filter(
      (number) => number > 0,
      () => "a page, from 1 on"
    ),
    Flag.optional
  )

export const md = Command.make(
  "md",
  {
    id: documentId,
    format: Flag.Literals("format", ["markdown", "html", "json"]).pipe(
      Flag.withDescription("What to write"),
      Flag.withDefault("markdown")
    ),
    from: page("from", "The first page"),
    to: page("to", "The last page"),
    out: outFlag,
    mark,
    ...connection
  },
  Effect.fnUntraced(
    function* ({ format, from, id, mark, out, to }) {
      const sluice = yield* SluiceClient
      const { text, ...told } = yield* sluice.render(id, {
        format: formats[format],
        from: Option.getOrUndefined(from),
        to: Option.getOrUndefined(to),
        ...(format === "json" ? {} : markOf(mark))
      })
      yield* writeOut(out, Stream.encodeText(text))
      yield* tellGaps(told)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Writes the document with its headings, lists and tables. What is missing is said on standard error."
  ),
  Command.withExamples([{ command: "sluice md 01a207b0-622e-7327-b679-1bc44ce43310 --out report.md" }])
)
