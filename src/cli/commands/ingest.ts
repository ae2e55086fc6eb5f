import { resolve } from "node:path"
import { Console, Effect, FileSystem, Layer, Option } from "effect"
import { Argument, CliError, Command, Flag, Param, Primitive } from "effect/cli"
import { connected, connection, pdfPassword } from "../Connection.ts"
import { PipelineName } from "../../client.ts"
import { CommandFailed, reported, WrongUsage } from "../CommandFailure.ts"
import { Json } from "../Json.ts"
import { formats } from "../ingest/Formats.ts"
import { type Destination, ingestAll } from "../ingest/Ingest.ts"
import { inputsOf, nearest } from "../ingest/Inputs.ts"
import { isGood } from "../ingest/ItemResult.ts"
import * as Progress from "../ingest/Progress.ts"
import { standard } from "../ingest/Standard.ts"
import * as ServerTarget from "../ingest/ServerTarget.ts"

/** Loaded on demand: the engine is large, and sending files to a server does not need it. */
const localTarget = (options: Parameters<typeof ServerTarget.layer>[0]) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("../ingest/LocalTarget.ts")),
      (LocalTarget) => LocalTarget.layer(options)
    )
  )

/** Completed by shells like a path, but neither resolved nor checked, so that `-` and `./-` differ. */
const pathAsGiven = (pathType: Primitive.PathType) =>
  Object.assign(Primitive.Path(pathType), { parse: (text: string) => Effect.succeed(text) })

const shown = (path: string) => (path === standard ? path : nearest(resolve(path)))

const destinationOf = Effect.fnUntraced(function* (out: string) {
  if (out === standard) return { _tag: "Stdout" } satisfies Destination
  const files = yield* FileSystem.FileSystem
  const path = shown(out)
  const type = yield* Effect.match(files.stat(path), { onSuccess: ({ type }) => type, onFailure: () => undefined })
  if (type !== undefined && type !== "Directory")
    return yield* new WrongUsage({ message: `--out ${path} is no folder` })
  return { _tag: "Folder", path } satisfies Destination
})

const tellInterrupted = Effect.fnUntraced(function* (local: boolean) {
  const detail = local ? "the rest was not read" : "documents that were accepted go on in the server"
  yield* Console.error(
    (yield* Json) ? JSON.stringify({ error: { code: "INTERRUPTED", detail } }) : `sluice: interrupted; ${detail}`
  )
})

export const ingest = Command.make(
  "ingest",
  {
    files: Param.makeSingle({ kind: Param.argumentKind, name: "files", primitiveType: pathAsGiven("either") }).pipe(
      Argument.withDescription("PDFs, or folders whose *.pdf are meant; - reads one from standard input"),
      Argument.variadic({ min: 1 })
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Wait until every document has ended; --out and --local do"),
      Flag.withDefault(false)
    ),
    out: Param.makeSingle({ kind: Param.flagKind, name: "out", primitiveType: pathAsGiven("directory") }).pipe(
      Flag.withAlias("o"),
      Flag.withDescription(
        "Write one file per document into this folder, each as a whole or not at all; - writes all to standard output"
      ),
      Flag.optional
    ),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription(
        "text: pages between form feeds; ndjson: a page per line; md, html: the document with its structure; json: outline and layouts of pages; chunks: parts for models and searches, one per line"
      ),
      Flag.withDefault("text")
    ),
    pipeline: Flag.String("pipeline").pipe(
      Flag.withSchema(PipelineName),
      Flag.withDescription("The stages that the documents go through; sluice pipelines lists them"),
      Flag.optional
    ),
    local: Flag.Boolean("local").pipe(
      Flag.withDescription("Without a server: read the files in this process and its page workers"),
      Flag.withDefault(false)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ files, format, local, out, pipeline: named, wait }) {
      const destination: Destination | undefined = Option.isNone(out) ? undefined : yield* destinationOf(out.value)
      const found = yield* inputsOf(files.map(shown))
      const password = yield* pdfPassword
      const pipeline = Option.getOrUndefined(named)
      const outcomes = yield* ingestAll(found, {
        wait: wait || local || destination !== undefined,
        out: destination,
        format
      }).pipe(
        Effect.provide(local ? localTarget({ password, pipeline }) : ServerTarget.layer({ password, pipeline })),
        Effect.provide(Progress.layer({ pagesOnStdout: destination?._tag === "Stdout" })),
        Effect.onInterrupt(() => tellInterrupted(local))
      )
      if (!outcomes.every(isGood)) return yield* new CommandFailed()
    },
    Effect.scoped,
    connected,
    reported
  )
).pipe(
  Command.validate(({ local, out }) =>
    local && Option.isNone(out)
      ? Effect.fail(
          new CliError.ValidationError({
            message: "--local keeps nothing: say with --out where the text goes (- is standard output)"
          })
        )
      : Effect.void
  ),
  Command.withDescription(
    "Sends PDFs to a server; with --out also writes their pages into a folder. A password is taken from SLUICE_PDF_PASSWORD, a key for the server from SLUICE_API_KEY. " +
      "Exit codes: 0 all completed (or, without --wait, accepted), 1 something failed, 2 wrong usage, 130 interrupted."
  ),
  Command.withExamples([
    { command: "sluice ingest report.pdf scans/ --tenant acme --wait" },
    { command: "sluice ingest --local report.pdf --out texts --format md", description: "No server needed" },
    { command: "curl -s https://example.com/a.pdf | sluice ingest --local - --out - | less", description: "In a pipe" }
  ])
)
