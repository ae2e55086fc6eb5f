// Runs the command line in this process, as a person without a terminal sees it.
import { NodeServices } from "@effect/platform-node"
import { Cause, ConfigProvider, Console, Effect, Exit, FileSystem, Layer, Runtime, Sink, Stdio, Stream } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { HttpServer } from "effect/http"
import { existsSync } from "node:fs"
import { run } from "../../src/cli/Sluice.ts"

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What went to standard output as it is, and not as lines. */
  readonly written: string
  /** The temporary folders that it made, and which of them are still there. Folders of other processes do not count. */
  readonly temporary: { readonly made: number; readonly left: ReadonlyArray<string> }
}

/** The file system; notes each temporary folder. */
const notingFolders = (made: Array<string>) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (files) => ({
      ...files,
      makeTempDirectoryScoped: (options?: Parameters<typeof files.makeTempDirectoryScoped>[0]) =>
        Effect.tap(files.makeTempDirectoryScoped(options), (path) => Effect.sync(() => made.push(path)))
    }))
  ).pipe(Layer.provideMerge(NodeServices.layer))

const text = (chunks: ReadonlyArray<Uint8Array | string>) =>
  Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString()

export const sluice = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  /** What is piped into it; a terminal otherwise. */
  stdin?: Uint8Array
) {
  const written: Array<Uint8Array | string> = []
  const stdio = Stdio.layerTest({
    stdinIsTerminal: Effect.succeed(stdin === undefined),
    stdin: stdin === undefined ? Stream.never : Stream.make(stdin),
    stdout: () => Sink.forEach((chunk) => Effect.sync(() => void written.push(chunk)))
  })
  const made: Array<string> = []
  const out: Array<string> = []
  const err: Array<string> = []
  const console: Console.Console = {
    ...globalThis.console,
    log: (line: string) => void out.push(line),
    error: (line: string) => void err.push(line)
  }
  const exit = yield* run(args).pipe(
    Effect.exit,
    Effect.provide(stdio),
    Effect.provide(notingFolders(made)),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
    Effect.provideService(TerminalCapabilities.TerminalCapabilities, {
      canAnimate: false,
      canColor: false,
      canPrompt: false
    }),
    Effect.provideService(Console.Console, console)
  )
  const code = Exit.isSuccess(exit) ? 0 : Runtime.getErrorExitCode(Cause.squash(exit.cause))
  const temporary = { made: made.length, left: made.filter((path) => existsSync(path)) }
  const ran: Ran = { code, out: out.join("\n"), err: err.join("\n"), written: text(written), temporary }
  return ran
})

/** The server that the test runs over. */
export const serverUrl = HttpServer.HttpServer.use(({ address }) =>
  Effect.succeed(`http://127.0.0.1:${"port" in address ? address.port : 0}`)
)

/** The same against the server that the test runs over. */
export const sluiceHere = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  stdin?: Uint8Array
) {
  return yield* sluice(args, { SLUICE_URL: yield* serverUrl, ...env }, stdin)
})
