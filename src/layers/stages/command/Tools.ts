// Which of the tools that hold commands this system has. It is tried out once, at the start.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import type { CommandSandbox } from "../../../services/pipelines/settings/CommandStageSettings.ts"
import { excerpt } from "../matter/Failures.ts"
import { makeDirectories, type WithDirectory } from "./Directories.ts"
import { launchOf } from "./Launch.ts"

export interface Tools {
  /** Why bubblewrap does not work here; undefined if it does. */
  readonly noWalls: string | undefined
  /** Why limits cannot be set without it; undefined if they can. */
  readonly noLimits: string | undefined
}

/** Commands cannot run as their settings demand. */
export class CommandsUnusable extends Schema.TaggedError<CommandsUnusable>()("CommandsUnusable", {
  stage: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `stages.${this.stage}: ${this.detail}`
  }
}

const trial = {
  cpu: 5_000,
  memory: 256 * 1024 * 1024,
  fileSize: 1024 * 1024,
  disk: 1024 * 1024,
  processes: 16,
  output: 1024
}

const attempt = Effect.fnUntraced(function* (directory: WithDirectory, isWalled: boolean) {
  const launch = launchOf(["true"], {
    directory: yield* directory,
    limits: trial,
    reads: [],
    environment: {},
    isWalled
  })
  const { args, cwd, env, file } = launch
  const handle = yield* ChildProcess.make(file, args, {
    cwd,
    env,
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
    killSignal: "SIGKILL"
  })
  const stderr = Stream.mkString(Stream.decodeText(handle.stderr))
  const [said, code] = yield* Effect.all([stderr, handle.exitCode], { concurrency: 2 })
  return code === 0 ? undefined : excerpt(said, 200) || `${file} ended with code ${code}`
}, Effect.scoped)

const reason = (error: { readonly message: string }) => Effect.succeed(excerpt(error.message, 200))

/** Tries out what works. */
export const findTools = Effect.fnUntraced(function* (directory: WithDirectory) {
  if (process.platform !== "linux") {
    const why = `${process.platform} has no prlimit and no bubblewrap`
    return { noWalls: why, noLimits: why } satisfies Tools
  }
  const tried = (isWalled: boolean) =>
    attempt(directory, isWalled).pipe(
      Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.succeed("it took too long") }),
      Effect.catch(reason)
    )
  const tools: Tools = { noWalls: yield* tried(true), noLimits: yield* tried(false) }
  return tools
})

/** Whether the stage's command runs behind walls; fails when it cannot run as it must. */
export const wallsFor = (
  stage: string,
  sandbox: CommandSandbox,
  { noLimits, noWalls }: Tools
): Effect.Effect<boolean, CommandsUnusable> => {
  if (sandbox !== "off" && noWalls === undefined) return Effect.succeed(true)
  if (sandbox === "require") {
    const detail = `sandbox "require": bubblewrap does not work here (${noWalls}); install it, allow user namespaces, or set "auto"`
    return Effect.fail(new CommandsUnusable({ stage, detail }))
  }
  if (noLimits === undefined) return Effect.succeed(false)
  const detail = `commands run under limits only, and these cannot be set here (${noLimits}); install util-linux`
  return Effect.fail(new CommandsUnusable({ stage, detail }))
}

/** What holds commands on this machine, for a check of it. */
export const commandTools = Effect.flatMap(makeDirectories(), findTools).pipe(
  Effect.scoped,
  Effect.provide(NodeServices.layer)
)
