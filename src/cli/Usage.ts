import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { printable, unstopped } from "./Text.ts"

/** Reports a wrong command line: on stderr, in a few lines, with the usage of the intended command. */

/** The names that lead to the command that runs: `["sluice", "keys", "list"]`. */
export const CommandPath = Context.Reference<ReadonlyArray<string>>("sluice/cli/Usage/CommandPath", {
  defaultValue: () => ["sluice"]
})

/** Commands that have subcommands. No flag with a value may stand before the names of these. */
const nested: ReadonlySet<string> = new Set(["keys", "storage"])

/** The names of commands that the arguments begin with. */
export const commandPathOf = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first, second] = args.filter((arg) => !arg.startsWith("-"))
  if (first === undefined) return ["sluice"]
  return second !== undefined && nested.has(first) ? ["sluice", first, second] : ["sluice", first]
}

/** Whether `--json` is set, found without parsing the arguments, so that it works when parsing fails. */
export const asksForJson = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return args.slice(0, end < 0 ? args.length : end).some((arg) => /^--json(=(true|1|y|yes|on))?$/.test(arg))
}

const didYouMean = (suggestions: ReadonlyArray<string>) =>
  suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}?`

const expectedOf = (expected: string) => {
  const plain = expected.replace(/^Schema validation failed: /, "").replace(/^Expected:? /, "")
  return plain === "" ? "" : `: expected ${plain}`
}

const wordsOf = (error: CliError.NonShowHelpErrors): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `there is no flag ${error.option}${didYouMean(error.suggestions)}`
    case "UnknownSubcommand":
      return `there is no command ${JSON.stringify(error.subcommand)}${didYouMean(error.suggestions)}`
    case "MissingOption":
      return `--${error.option} is missing`
    case "MissingArgument":
      return `<${error.argument}> is missing`
    case "UnexpectedArgument":
      return `too many arguments: ${error.arguments.map((value) => JSON.stringify(value)).join(", ")}`
    case "InvalidValue": {
      const name = error.kind === "argument" ? `<${error.option}>` : `--${error.option}`
      return error.value === ""
        ? `${name} has no value${expectedOf(error.expected)}`
        : `${name} cannot be ${JSON.stringify(error.value)}${expectedOf(error.expected)}`
    }
    default:
      return error.message
  }
}

const oneLine = (text: string) => printable(text.trim().replace(/\s+/g, " "))

/** Reports the errors, the usage of the command, and how to get its help. */
const misuse = (json: boolean, { commandPath, errors, helpDoc }: CliOutput.Presenter.InvalidInvocation) => {
  const detail = [...new Set(errors.map((error) => unstopped(oneLine(wordsOf(error)))))].join("; ")
  const usage = `usage: ${oneLine(helpDoc.usage)}`
  const help = `see ${commandPath.join(" ")} --help`
  return Console.error(
    json
      ? JSON.stringify({ error: { code: "USAGE", detail, advice: `${usage}; ${help}` } })
      : [`sluice: USAGE: ${detail}`, usage, help].join("\n")
  )
}

/** Help that was requested goes to stdout, as usual. */
export const presenterFor = (args: ReadonlyArray<string>): CliOutput.Presenter => ({
  present: Effect.fnUntraced(function* (event: CliOutput.Presenter.Event) {
    if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event)
    return yield* misuse(asksForJson(args), event)
  })
})
