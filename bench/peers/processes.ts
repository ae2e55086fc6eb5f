// Child processes and folders that end with their scope.
import { type ChildProcess, fork, type ForkOptions, spawn, type SpawnOptions } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Data, Duration, Effect } from "effect"

export class CannotRun extends Data.TaggedError("CannotRun")<{ readonly message: string }> {}

/** The end of what a process wrote to its error output. */
const lastWords = new WeakMap<ChildProcess, string>()

const longestWords = 2_000
const patience = Duration.seconds(15)

const listen = (child: ChildProcess) => {
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    lastWords.set(child, ((lastWords.get(child) ?? "") + text).slice(-longestWords))
  })
  // Reported by whoever waits for the process to be ready.
  child.on("error", (error) => lastWords.set(child, String(error)))
  return child
}

const hasEnded = (child: ChildProcess) =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

const end = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.callback<void>((resume) => {
    if (hasEnded(child)) return resume(Effect.void)
    const timer = setTimeout(() => child.kill("SIGKILL"), Duration.toMillis(patience))
    child.once("exit", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    child.kill(signal)
  })

/** A program that is asked to end by `signal` when the scope does, and killed when it does not obey. */
export const start = (
  command: string,
  args: ReadonlyArray<string>,
  options: SpawnOptions = {},
  signal: NodeJS.Signals = "SIGTERM"
) =>
  Effect.acquireRelease(
    Effect.sync(() => listen(spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options }))),
    (child) => end(child, signal)
  )

/** A module of Node that tells by a first message that it is ready. */
export const startModule = Effect.fnUntraced(function* (
  module: URL,
  args: ReadonlyArray<string>,
  options: ForkOptions = {}
) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      listen(
        fork(module, args, { execArgv: ["--no-warnings"], stdio: ["ignore", "ignore", "inherit", "ipc"], ...options })
      )
    ),
    (child) => end(child, "SIGTERM")
  )
  const message = yield* Effect.callback<unknown, CannotRun>((resume) => {
    child.once("message", (message) => resume(Effect.succeed(message)))
    child.once("exit", () => resume(Effect.fail(failed(child, "ended before it was ready"))))
  })
  return { message, child, pid: pidOf(child) }
})

/** Sends a message and waits for the next one that comes. One question at a time. */
export const ask = (child: ChildProcess, question: object) =>
  Effect.callback<unknown, CannotRun>((resume) => {
    const ended = () => resume(Effect.fail(failed(child, "ended before it answered")))
    child.once("message", (answer) => {
      child.off("exit", ended)
      resume(Effect.succeed(answer))
    })
    child.once("exit", ended)
    child.send(question)
  })

/** 0 is nobody's. */
export const pidOf = (child: ChildProcess) => child.pid ?? 0

const failed = (child: ChildProcess, what: string) =>
  new CannotRun({ message: `${child.spawnargs.join(" ")} ${what}: ${lastWords.get(child) ?? ""}` })

/** The first part of its output that matches. */
export const waitForOutput = (child: ChildProcess, pattern: RegExp) =>
  Effect.callback<string, CannotRun>((resume) => {
    let output = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-longestWords)
      const found = pattern.exec(output)
      if (found?.[1] !== undefined) resume(Effect.succeed(found[1]))
    })
    child.once("exit", () => resume(Effect.fail(failed(child, "ended before it was ready"))))
  })

/** Asks until it is so; fails when the process ends before. */
export const waitUntil = Effect.fnUntraced(function* (child: ChildProcess, isReady: Effect.Effect<boolean>) {
  while (!(yield* isReady)) {
    if (hasEnded(child)) return yield* failed(child, "ended before it was ready")
    yield* Effect.sleep("50 millis")
  }
})

/** Whether a program ran to its end without complaint, and what it printed. */
export const run = (command: string, args: ReadonlyArray<string>, options: SpawnOptions = {}) =>
  Effect.callback<{ readonly ok: boolean; readonly output: string }>((resume) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    const add = (text: Buffer) => (output += text.toString())
    child.stdout.on("data", add)
    child.stderr.on("data", add)
    child.once("error", () => resume(Effect.succeed({ ok: false, output })))
    child.once("close", (code) => resume(Effect.succeed({ ok: code === 0, output: output.trim() })))
  })

export const temporaryFolder = (name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), `sluice-bench-${name}-`))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

export const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})
