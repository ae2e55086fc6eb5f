import { Console, Effect, Layer, Option } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { connected, connection, pdfPassword } from "./Connection.ts"
import { CommandFailed, reported } from "./Failure.ts"
import { formats } from "./ingest/Formats.ts"
import { ingestAll } from "./ingest/Ingest.ts"
import { inputsOf, nearest } from "./ingest/Inputs.ts"
import { isGood } from "./ingest/Outcome.ts"
import * as Progress from "./ingest/Progress.ts"
import * as ServerTarget from "./ingest/ServerTarget.ts"

/** Loaded only here: the engine is no small thing, and speaking to a server needs nothing of it. */
const localTarget = (options: Parameters<typeof ServerTarget.layer>[0]) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./ingest/LocalTarget.ts")),
      (LocalTarget) => LocalTarget.layer(options)
    )
  )

export const ingest = Command.make(
  "ingest",
  {
    files: Argument.Path("files").pipe(
      Argument.withDescription("PDFs, or folders whose *.pdf are meant"),
      Argument.variadic({ min: 1 })
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Wait until every document has ended; --out and --local do"),
      Flag.withDefault(false)
    ),
    out: Flag.Directory("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Write one file per document into this folder, each as a whole or not at all"),
      Flag.optional
    ),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription("text: pages between form feeds; ndjson: a page per line; md: a heading per page"),
      Flag.withDefault("text")
    ),
    local: Flag.Boolean("local").pipe(
      Flag.withDescription("Without a server: read the files in this process and its page workers"),
      Flag.withDefault(false)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ files, format, local, out, wait }) {
      const inputs = yield* inputsOf(files.map(nearest))
      const password = yield* pdfPassword
      const folder = Option.getOrUndefined(Option.map(out, nearest))
      const outcomes = yield* ingestAll(inputs, {
        wait: wait || local || folder !== undefined,
        out: folder,
        format
      }).pipe(
        Effect.provide(local ? localTarget({ password }) : ServerTarget.layer({ password })),
        Effect.provide(Progress.layer),
        Effect.onInterrupt(() =>
          Console.error(
            `sluice: interrupted; ${local ? "the rest was not read" : "what was accepted goes on on the server"}`
          )
        )
      )
      if (!outcomes.every(isGood)) return yield* new CommandFailed()
    },
    connected,
    reported
  )
).pipe(
  Command.validate(({ local, out }) =>
    local && Option.isNone(out)
      ? Effect.fail(
          new CliError.ValidationError({ message: "--local keeps nothing: say with --out where the text goes" })
        )
      : Effect.void
  ),
  Command.withDescription(
    "Sends PDFs to a server; with --out also writes their pages into a folder. A password is taken from SLUICE_PDF_PASSWORD, a key for the server from SLUICE_API_KEY. " +
      "Exit codes: 0 all completed (or, without --wait, accepted), 1 something failed, 2 wrong usage, 130 interrupted."
  ),
  Command.withExamples([
    { command: "sluice ingest report.pdf scans/ --tenant acme --wait" },
    { command: "sluice ingest --local report.pdf --out texts --format md", description: "No server needed" }
  ])
)
