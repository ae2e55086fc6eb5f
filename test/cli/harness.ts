// Runs the command line in this process, as a person without a terminal sees it.
import { NodeServices } from "@effect/platform-node"
import { Cause, ConfigProvider, Console, Effect, Exit, Runtime } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { HttpServer } from "effect/http"
import { run } from "../../src/cli/Sluice.ts"

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const sluice = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
) {
  const out: Array<string> = []
  const err: Array<string> = []
  const console: Console.Console = {
    ...globalThis.console,
    log: (line: string) => void out.push(line),
    error: (line: string) => void err.push(line)
  }
  const exit = yield* run(args).pipe(
    Effect.exit,
    Effect.provide(NodeServices.layer),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
    Effect.provideService(TerminalCapabilities.TerminalCapabilities, {
      canAnimate: false,
      canColor: false,
      canPrompt: false
    }),
    Effect.provideService(Console.Console, console)
  )
  const code = Exit.isSuccess(exit) ? 0 : Runtime.getErrorExitCode(Cause.squash(exit.cause))
  const ran: Ran = { code, out: out.join("\n"), err: err.join("\n") }
  return ran
})

/** The server that the test runs over. */
export const serverUrl = HttpServer.HttpServer.use(({ address }) =>
  Effect.succeed(`http://127.0.0.1:${"port" in address ? address.port : 0}`)
)

/** The same against the server that the test runs over. */
export const sluiceHere = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
) {
  return yield* sluice(args, { SLUICE_URL: yield* serverUrl, ...env })
})
