import { Console, Data, Effect, PlatformError, Schema, SchemaIssue } from "effect"
import { CliError } from "effect/cli"
import { Refused, Unreachable } from "../client.ts"
import { CommandFailed } from "./Ending.ts"
import { Json } from "./Json.ts"
import { systemErrorOf } from "./SystemError.ts"
import { printable, unstopped } from "./Text.ts"
import { CommandPath } from "./Usage.ts"

export { CommandFailed, InterruptedExit, UsageFailed } from "./Ending.ts"

/** A usage error that is found only when the command runs. */
export class WrongUsage extends Data.TaggedError("WrongUsage")<{ readonly message: string }> {}

/** Any other failure of a command. */
export class Impossible extends Data.TaggedError("Impossible")<{ readonly code: string; readonly message: string }> {}

const describeIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** The reason in one line: a stack trace does not explain a wrong setting or a port in use. */
export const reasonOf = (error: Error): string => {
  if (error instanceof PlatformError.PlatformError) return systemErrorOf(error)
  const { cause } = error
  if (cause instanceof Schema.SchemaError) {
    const { issues } = describeIssues(cause.issue)
    return issues.map(({ message, path }) => `${path?.join("_")}: ${message}`).join("; ")
  }
  return [unstopped(error.message), cause instanceof Error ? cause.message : ""]
    .filter((text) => text !== "")
    .join(": ")
}

const describe = (error: Error) => {
  if (error instanceof Refused) {
    const { advice, code, detail } = error
    return { code, detail, ...(advice === undefined ? {} : { advice }) }
  }
  if (error instanceof Unreachable) {
    return {
      code: "UNREACHABLE",
      detail: error.message,
      advice: "Start it with `sluice serve`, or name it with --url."
    }
  }
  if (error instanceof Impossible) return { code: error.code, detail: error.message }
  return { code: "FAILED", detail: reasonOf(error) }
}

/** Reports a failure and ends the command with it. */
export const reported = <A, E extends Error, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catch(
    effect,
    Effect.fnUntraced(function* (error: E) {
      if (error instanceof CommandFailed) return yield* error
      if (CliError.isCliError(error)) return yield* error
      // Reported like a usage error that is found before a command runs.
      if (error instanceof WrongUsage) {
        const errors = [new CliError.ValidationError({ message: error.message })]
        return yield* new CliError.ShowHelp({ commandPath: yield* CommandPath, errors })
      }
      const problem = describe(error)
      const line = `sluice: ${problem.code}: ${problem.advice === undefined ? problem.detail : `${unstopped(problem.detail)} — ${problem.advice}`}`
      yield* Console.error((yield* Json) ? JSON.stringify({ error: problem }) : printable(line.replace(/\s+/g, " ")))
      return yield* new CommandFailed()
    })
  )
