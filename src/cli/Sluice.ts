import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Logger, References, Schema } from "effect"
import { CliConfig, CliError, Command, GlobalFlag } from "effect/cli"
import { cancel } from "./cancel.ts"
import { doctor } from "./doctor.ts"
import { UsageFailed } from "./Failure.ts"
import { ingest } from "./ingest.ts"
import { Json } from "./Json.ts"
import { keys } from "./keys.ts"
import { retry } from "./retry.ts"
import { runServer, serve } from "./serve.ts"
import { status } from "./status.ts"
import { storage } from "./storage.ts"
import { tenants } from "./tenants.ts"
import { watch } from "./watch.ts"

const sluice = Command.make("sluice", {}, runServer).pipe(
  Command.withDescription(
    "Multi-tenant PDF ingestion. Without a command it starts the server. " +
      "Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."
  ),
  Command.withSubcommands([serve, ingest, status, cancel, retry, tenants, keys, watch, doctor, storage]),
  Command.withGlobalFlags([Json])
)

const decodeManifest = Schema.decodeSync(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

/** The same distance from the sources and from what is built of them. */
export const version = (): string =>
  decodeManifest(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")).version

const builtIns = [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions]

const isMisuse = (error: unknown): error is CliError.ShowHelp =>
  CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length > 0

/** Runs the command that the arguments name. What it has to say of a failure was said when this fails. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, Error, Command.Environment> =>
  Command.runWith(sluice, { version: version() })(args).pipe(
    Effect.catchIf(isMisuse, () => Effect.fail(new UsageFailed())),
    Effect.provide(CliConfig.layer({ builtIns })),
    // Of commands other than the server, which says itself what is logged: nothing that would stand between their lines.
    Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])),
    Effect.provideService(References.MinimumLogLevel, "Fatal")
  )
