import { Effect, Schema } from "effect"
import { DownstreamName } from "../../../domain/downstream/Downstream.ts"
import { missingFor, workFields, workIssues } from "./StageBase.ts"
import { Argument, bytes, millis, placeholdersOf, whole } from "./Values.ts"

// A stage that is a command of the system.

/** A name in the command's own directory. */
const FileName = Schema.String.check(
  Schema.isPattern(/^(?!\.)[A-Za-z0-9._-]{1,128}$/, {
    message: "a file's name of letters, digits, dots, dashes and underscores; no folder"
  })
)

const InFile = Schema.Struct({ file: FileName })

export const sandboxModes = ["auto", "require", "off"] as const
export type CommandSandbox = (typeof sandboxModes)[number]

const Limits = Schema.Struct({
  cpu: millis("60s", "Processor time of each process."),
  memory: bytes("1GiB", "Memory that each process may allocate (its data segment)."),
  fileSize: bytes("256MiB", "The largest file that it may write."),
  disk: bytes("1GiB", "All files in its directories together, looked at twice a second."),
  processes: whole(1, 100_000)
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(64)))
    .annotateKey({ description: "Processes and threads at once, in the sandbox." }),
  output: bytes("64MiB", "The largest output that is taken.")
})
export type CommandLimits = typeof Limits.Type

/** What may be bound into the sandbox: an absolute path without dot segments. */
const AbsolutePath = Schema.String.check(
  Schema.makeFilter(
    (path: string) =>
      (path.startsWith("/") && path.split("/").every((part) => part !== "." && part !== "..")) || "an absolute path"
  )
)

export const CommandStageSettings = Schema.Struct({
  type: Schema.tag("command"),
  ...workFields,
  run: Schema.NonEmptyArray(Argument).annotate({
    description:
      "The program and its arguments, one text each; no shell takes part. Placeholders: {{name}}, {{page}}, {{pages}}, {{id}}, {{tenant}}, and {{temporary}} for the path of its own temporary folder."
  }),
  send: Schema.Literals(["image", "file", "text", "markdown", "layout", "nothing"]).annotate({
    description:
      "What it works on: the `image` of the page, the `file`, the text, Markdown or layout of the page or document."
  }),
  input: Schema.Union([Schema.Literal("stdin"), InFile])
    .annotate({ description: "How it gets that: on its standard input, or as a file in its directory." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("stdin" as const))),
  output: Schema.Union([Schema.Literal("stdout"), InFile])
    .annotate({ description: "Where its result is: its standard output, or a file in its directory." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("stdout" as const))),
  answer: Schema.Literals(["json", "text", "markdown", "pdf", "bytes"]),
  mediaType: Schema.optionalKey(Schema.String.annotate({ description: "Of the content, with `answer: bytes`." })),
  environment: Schema.Record(Schema.String, Schema.String)
    .annotate({ description: "Its environment. Nothing of the engine's own is passed on." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  exitCodes: Schema.NonEmptyArray(whole(0, 255))
    .annotate({ description: "Those of success." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed([0] as const))),
  downstream: Schema.optionalKey(
    DownstreamName.annotate({
      description:
        "Under whose limits it runs. When absent, one of the stage's name, which is made if it is not declared."
    })
  ),
  limits: Limits.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  sandbox: Schema.Literals(sandboxModes)
    .annotate({
      description: "`auto`: bubblewrap where it works. `require`: only with it. `off`: without, under its limits alone."
    })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("auto" as const))),
  reads: Schema.Array(AbsolutePath)
    .annotate({
      description: "Paths that it may read in the sandbox, beside /usr and what programs commonly need of /etc."
    })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed([])))
})
  .check(
    Schema.makeFilter((settings) => {
      const { answer, kind, mediaType, run, send } = settings
      const missing = run.flatMap(placeholdersOf).find((name) => missingFor(kind, name))
      return [
        ...workIssues(settings),
        ...(missingFor(kind, send) ? [{ path: ["send"], issue: `a ${kind} stage has no ${send}` }] : []),
        ...(missing === undefined ? [] : [{ path: ["run"], issue: `a ${kind} stage has no {{${missing}}}` }]),
        ...((answer === "pdf") !== (kind === "source")
          ? [{ path: ["answer"], issue: "`pdf` of a source stage, and of no other" }]
          : []),
        ...((answer === "bytes") !== (mediaType !== undefined)
          ? [{ path: ["mediaType"], issue: "with `answer: bytes`, and only then" }]
          : []),
        ...(answer === "bytes" && settings.provides === "text"
          ? [{ path: ["answer"], issue: "a page's text is no `bytes`" }]
          : [])
      ]
    })
  )
  .annotate({ identifier: "CommandStage", description: "A command of the system." })
export interface CommandStageSettings extends Schema.Schema.Type<typeof CommandStageSettings> {}
