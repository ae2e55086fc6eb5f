// The command as a process of its own, started through its launcher: as in a pipe, or on a terminal.
import { Effect } from "effect"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const launcher = fileURLToPath(new URL("../../sluice.js", import.meta.url))
export const command = [process.execPath, "--no-warnings", launcher]

type Environment = Readonly<Record<string, string>>

const endOf = (child: ChildProcess, event: "close" | "exit" = "close") =>
  Effect.callback<number | string | null>((resume) => {
    const done = () => resume(Effect.succeed(child.exitCode ?? child.signalCode))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once(event, done)
  })

const run = Effect.fnUntraced(function* (
  cwd: string,
  [program = "", ...args]: ReadonlyArray<string>,
  env: Environment,
  stdin: "ignore" | "pipe"
) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program, args, { cwd, env, stdio: [stdin, "pipe", "pipe"] })),
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        // Its end, not that of its output: what it started may hold that open.
        endOf(child, "exit")
      )
  )
  let output = ""
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      for (const listener of listeners) listener()
    })
  }
  /** Waits until what it has printed is so. */
  const printing = (what: string, holds: (output: string) => boolean) =>
    Effect.callback<void>((resume) => {
      const look = () => {
        if (!holds(output)) return
        listeners.delete(look)
        resume(Effect.void)
      }
      listeners.add(look)
      child.once("close", () => resume(Effect.die(new Error(`it ended without printing ${what}:\n${output}`))))
      look()
    })
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal)),
    type: (keys: string) => Effect.sync(() => child.stdin?.write(keys)),
    ended: endOf(child),
    printing,
    /** Waits until it has printed that. */
    printed: (...parts: ReadonlyArray<string>) =>
      printing(parts.join(", "), (output) => parts.every((part) => output.includes(part)))
  }
})

/** Starts any program in this folder. Killed with the scope, if need be. */
export const startProgram = (cwd: string, command: ReadonlyArray<string>, env: Environment) =>
  run(cwd, command, env, "ignore")

/** Starts the command in this folder. Killed with the scope, if need be. */
export const start = (cwd: string, args: ReadonlyArray<string>, env: Environment = {}) =>
  run(cwd, [...command, ...args], env, "ignore")

const system = { PATH: "/usr/bin:/bin", SHELL: "/bin/sh", TERM: "xterm" }

/** Whether there is a program that gives a command a terminal: the `script` of util-linux. */
export const hasTerminal = String(spawnSync("script", ["--version"], { env: system }).stdout).includes("util-linux")

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** The same on a terminal of its own, whose keys are typed by `type`. */
export const startOnTerminal = (cwd: string, args: ReadonlyArray<string>) =>
  run(
    cwd,
    ["script", "--quiet", "--return", "--flush", "--command", [...command, ...args].map(quoted).join(" "), "/dev/null"],
    system,
    "pipe"
  )
