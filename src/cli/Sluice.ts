import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { version } from "../layers/config/Version.ts"
import { UsageFailed } from "./Ending.ts"
import { Json } from "./Json.ts"
import { CommandPath, commandPathOf, presenterFor } from "./Usage.ts"

/** Whether a subcommand must be loaded: the arguments contain its name, or ask for completions, which need all of them. */
const mayUse = (name: string, args: ReadonlyArray<string>) =>
  args.some((arg) => arg === name || arg.startsWith("--completions"))

/** A subcommand with its line in the general help. Loading a subcommand takes longer than printing that help. */
const subcommand = <Name extends string, Input, Shared, E, R>(
  name: Name,
  summary: string,
  load: () => Promise<Command.Command<Name, Input, Shared, E, R>>
) => ({
  make: async (args: ReadonlyArray<string>) =>
    mayUse(name, args)
      ? Command.withShortDescription(await load(), summary)
      : Command.withShortDescription(Command.make(name), summary)
})

const subcommands = [
  subcommand("serve", "Start the server; what `sluice` alone does, too", () =>
    import("./commands/serve.ts").then(({ serve }) => serve)
  ),
  subcommand("ingest", "Send PDFs to a server, or read them here", () =>
    import("./commands/ingest.ts").then(({ ingest }) => ingest)
  ),
  subcommand("status", "Show the queue, or one document", () =>
    import("./commands/status.ts").then(({ status }) => status)
  ),
  subcommand("ls", "List the documents of the tenant", () =>
    import("./commands/documents/list.ts").then(({ ls }) => ls)
  ),
  subcommand("show", "Show one document", () => import("./commands/documents/show.ts").then(({ show }) => show)),
  subcommand("text", "Write the text of a document", () =>
    import("./commands/documents/read.ts").then(({ text }) => text)
  ),
  subcommand("pages", "Write the pages of a document as lines of JSON", () =>
    import("./commands/documents/read.ts").then(({ pages }) => pages)
  ),
  subcommand("md", "Write a document as Markdown, HTML or JSON", () =>
    import("./commands/documents/read.ts").then(({ md }) => md)
  ),
  subcommand("chunks", "Write a document in chunks for models and searches", () =>
    import("./commands/search/chunks.ts").then(({ chunks }) => chunks)
  ),
  subcommand("search", "Search in the documents of the tenant", () =>
    import("./commands/search/search.ts").then(({ search }) => search)
  ),
  subcommand("events", "Print what happens to documents", () =>
    import("./commands/documents/events.ts").then(({ events }) => events)
  ),
  subcommand("rm", "Remove documents", () => import("./commands/documents/remove.ts").then(({ rm }) => rm)),
  subcommand("cancel", "Cancel a document", () =>
    import("./commands/documents/cancel.ts").then(({ cancel }) => cancel)
  ),
  subcommand("artifacts", "List what stages made of a document", () =>
    import("./commands/documents/artifacts.ts").then(({ artifacts }) => artifacts)
  ),
  subcommand("artifact", "Write what a stage made", () =>
    import("./commands/documents/artifacts.ts").then(({ artifact }) => artifact)
  ),
  subcommand("image", "Write a page as an image", () =>
    import("./commands/documents/image.ts").then(({ image }) => image)
  ),
  subcommand("retry", "Do again what failed, or run a stage again", () =>
    import("./commands/documents/retry.ts").then(({ retry }) => retry)
  ),
  subcommand("tenants", "Show what a tenant may have, has and gets; or change it", () =>
    import("./commands/tenants.ts").then(({ tenants }) => tenants)
  ),
  subcommand("keys", "Make, list and revoke the API keys of a tenant", () =>
    import("./commands/keys.ts").then(({ keys }) => keys)
  ),
  subcommand("pipelines", "Show the pipelines and their stages", () =>
    import("./commands/pipelines/pipelines.ts").then(({ pipelines }) => pipelines)
  ),
  subcommand("downstreams", "Show what stages call outside of the engine; or change it", () =>
    import("./commands/pipelines/downstreams.ts").then(({ downstreams }) => downstreams)
  ),
  subcommand("usage", "Show what was used: pages, time, calls, tokens, cost", () =>
    import("./commands/pipelines/usage.ts").then(({ usage }) => usage)
  ),
  subcommand("mcp", "Let a model use the server over the Model Context Protocol", () =>
    import("./commands/search/mcp.ts").then(({ mcp }) => mcp)
  ),
  subcommand("watch", "See the engine, tenants and documents move", () =>
    import("./commands/watch.ts").then(({ watch }) => watch)
  ),
  subcommand("doctor", "Check whether a server can work here", () =>
    import("./commands/doctor.ts").then(({ doctor }) => doctor)
  ),
  subcommand("storage", "Decide how to go on with a data folder whose database and originals do not match", () =>
    import("./commands/storage.ts").then(({ storage }) => storage)
  ),
  subcommand("backup", "Copy a data folder while its server works", () =>
    import("./commands/backup.ts").then(({ backup }) => backup)
  ),
  subcommand("migrate", "Move a data folder into Postgres", () =>
    import("./commands/migrate.ts").then(({ migrate }) => migrate)
  )
]

/** The same as `sluice serve`. */
const runServer = () =>
  Effect.flatMap(
    Effect.promise(() => import("./commands/serve.ts")),
    (serve) => serve.runServer()
  )

const sluice = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  return Command.make("sluice", {}, runServer).pipe(
    Command.withDescription(
      "Multi-tenant PDF ingestion. Without a command it starts the server. " +
        "Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."
    ),
    Command.withSubcommands(yield* Effect.promise(() => Promise.all(subcommands.map(({ make }) => make(args))))),
    Command.withGlobalFlags([Json])
  )
})

const builtIns = [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions]

const isMisuse = (error: unknown): error is CliError.ShowHelp =>
  CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length > 0

/** Runs the command that the arguments name. When this fails, the failure has already been reported. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, Error, Command.Environment> =>
  Effect.flatMap(sluice(args), (command) => Command.runWith(command, { version: version() })(args)).pipe(
    Effect.catchIf(isMisuse, () => Effect.fail(new UsageFailed())),
    Effect.provide(CliConfig.layer({ builtIns })),
    Effect.provideService(CliOutput.Presenter, presenterFor(args)),
    Effect.provideService(CommandPath, commandPathOf(args)),
    // For commands other than the server, which sets up its own logging: no log lines between the lines of their output.
    Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])),
    Effect.provideService(References.MinimumLogLevel, "Fatal")
  )
