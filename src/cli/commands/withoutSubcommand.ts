import { Effect } from "effect"
import { CliError } from "effect/cli"
import { reported, WrongUsage } from "../CommandFailure.ts"
import { Json } from "../Json.ts"

/** What a command does whose subcommand is missing: it shows its help; with `--json` that is a usage error. */
export const withoutSubcommand = (name: string, subcommands: readonly [string, ...Array<string>]) =>
  Effect.fnUntraced(function* () {
    if (yield* Json) {
      const names = [subcommands.slice(0, -1).join(", "), subcommands.at(-1)].filter((part) => part !== "")
      return yield* new WrongUsage({ message: `${name} needs one of ${names.join(" and ")}` })
    }
    return yield* new CliError.ShowHelp({ commandPath: ["sluice", name], errors: [] })
  }, reported)
