// The server as an operator starts it: a process of its own.
import { Effect, Layer } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { findFreePort } from "./ports.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

export interface ServerProcess {
  readonly pid: number
  readonly url: string
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** How the process ended, once it has. */
  readonly ended: Effect.Effect<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Everything it has printed so far. */
  readonly output: () => string
}

const end = (child: ChildProcess) =>
  Effect.callback<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>((resume) => {
    const done = () => resume(Effect.succeed({ code: child.exitCode, signal: child.signalCode }))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once("close", done)
  })

export const freePort = Effect.promise(findFreePort)

/** Starts the server on this data folder, and waits until it says that it listens. Killed with the scope, if need be. */
export const startServer = Effect.fnUntraced(function* (directory: string, env: Readonly<Record<string, string>> = {}) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--no-warnings", main], {
        env: { DATA_DIR: directory, PORT: "0", PAGE_WORKERS: "2", ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        end(child)
      )
  )
  let output = ""
  const url = yield* Effect.callback<string>((resume) => {
    const listen = (chunk: Buffer) => {
      output += chunk.toString()
      const [, address] = /Sluice listens on (http:\/\/127\.0\.0\.1:\d+)\b/.exec(output) ?? []
      if (address !== undefined) resume(Effect.succeed(address))
    }
    child.stdout.on("data", listen)
    child.stderr.on("data", listen)
    child.once("exit", () => resume(Effect.die(new Error(`the server did not start:\n${output}`))))
  })
  const server: ServerProcess = {
    pid: child.pid ?? 0,
    url,
    signal: (signal) => Effect.sync(() => child.kill(signal)),
    ended: end(child),
    output: () => output
  }
  return server
})

/** Sends the requests of an effect to the server. */
export const clientOf = ({ url }: ServerProcess) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, HttpClient.mapRequest(HttpClientRequest.prependUrl(url)))
  ).pipe(Layer.provide(Layer.fresh(FetchHttpClient.layer)))

/** The children of a process that are alive now. Only on Linux: elsewhere there is no telling, and none are found. */
export const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number)
    )
  } catch {
    return []
  }
}
