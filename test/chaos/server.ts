// The real server as a process of its own, on a folder and a port of its own.
import { Deferred, Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { findFreePort } from "../support/ports.ts"
import { childrenOf, isAlive, type Process } from "./processes.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerProcess {
  readonly pid: number
  readonly url: string
  /** Succeeds once it listens; dies with what it said when it ends before that. */
  readonly listening: Effect.Effect<void>
  /** Its end, when all it has said has been heard. */
  readonly ended: Effect.Effect<Ended>
  readonly hasEnded: () => boolean
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** `kill -9`, and the children it had at that moment. */
  readonly kill: Effect.Effect<ReadonlyArray<Process>>
  readonly workers: () => ReadonlyArray<Process>
}

export interface ServerOptions {
  readonly directory: string
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
  /** Every line of its output. */
  readonly onLine?: (line: string) => void
}

const isListening = /Sluice listens on /
const mostKept = 100

export const freePort = Effect.promise(findFreePort)

const start = ({ directory, env = {}, onLine, port }: ServerOptions): ServerProcess => {
  const child = spawn(process.execPath, ["--no-warnings", main], {
    env: { DATA_DIR: directory, PORT: String(port), PAGE_WORKERS: "2", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const listening = Deferred.makeUnsafe<void>()
  const ended = Deferred.makeUnsafe<Ended>()
  const last: Array<string> = []
  let rest = ""
  const hear = (chunk: string) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      last.push(line)
      if (last.length > mostKept) last.shift()
      if (isListening.test(line)) Deferred.doneUnsafe(listening, Effect.void)
      onLine?.(line)
    }
  }
  child.stdout.setEncoding("utf8").on("data", hear)
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => last.push(chunk))
  let over = false
  child.on("close", (code, signal) => {
    over = true
    Deferred.doneUnsafe(listening, Effect.die(`the server ended (${code ?? signal}):\n${last.join("\n")}`))
    Deferred.doneUnsafe(ended, Effect.succeed({ code, signal }))
  })
  const pid = child.pid ?? 0
  return {
    pid,
    url: `http://127.0.0.1:${port}`,
    listening: Deferred.await(listening),
    ended: Deferred.await(ended),
    hasEnded: () => over,
    signal: (signal) => Effect.sync(() => child.kill(signal)),
    kill: Effect.gen(function* () {
      // Held still first, so that no child is born between the look and the kill.
      child.kill("SIGSTOP")
      const children = over ? [] : childrenOf(pid)
      child.kill("SIGKILL")
      yield* Deferred.await(ended)
      return children
    }),
    workers: () => (over ? [] : childrenOf(pid).filter(isAlive))
  }
}

/** Starts the server; when the scope ends it is killed if it still runs. */
export const startServer = (options: ServerOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => start(options)),
    (server) => (server.hasEnded() ? Effect.void : server.kill)
  )

/** A line of the server's log. */
export const LogLine = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.Unknown,
    annotations: Schema.Record(Schema.String, Schema.Unknown)
  })
)
