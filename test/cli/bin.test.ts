// The command as it is installed: a process of its own, started through its launcher.
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { spinningPage } from "../support/pdf.ts"
import { temporaryFolder } from "../support/service.ts"

const launcher = fileURLToPath(new URL("../../sluice.js", import.meta.url))
const welcome = fileURLToPath(new URL("../../examples/welcome.pdf", import.meta.url))

const endOf = (child: ChildProcess) =>
  Effect.callback<number | string | null>((resume) => {
    const done = () => resume(Effect.succeed(child.exitCode ?? child.signalCode))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once("close", done)
  })

/** Starts the command in this folder. Killed with the scope, if need be. */
const start = Effect.fnUntraced(function* (
  cwd: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--no-warnings", launcher, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    ),
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill("SIGKILL")),
        endOf(child)
      )
  )
  let output = ""
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      for (const listener of listeners) listener()
    })
  }
  return {
    output: () => output,
    signal: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal)),
    ended: endOf(child),
    /** Waits until it has printed that. */
    printed: (...parts: ReadonlyArray<string>) =>
      Effect.callback<void>((resume) => {
        const look = () => {
          if (!parts.every((part) => output.includes(part))) return
          listeners.delete(look)
          resume(Effect.void)
        }
        listeners.add(look)
        child.once("close", () =>
          resume(Effect.die(new Error(`it ended without printing ${parts.join(", ")}:\n${output}`)))
        )
        look()
      })
  }
})

describe("The installed command", () => {
  it.live("reads a PDF without a server", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const command = yield* start(folder, ["ingest", "--local", welcome, "--out", "texts"])
      assert.strictEqual(yield* command.ended, 0, command.output())
      assert.deepStrictEqual(readdirSync(join(folder, "texts")), ["welcome.txt"])
      assert.include(readFileSync(join(folder, "texts", "welcome.txt"), "utf8"), "everything works")
      assert.include(command.output(), `completed, 1 page, in ${join("texts", "welcome.txt")}`)
    })
  )

  it.live("leaves nothing half-written when it is interrupted, and ends with 130", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "endless.pdf"), spinningPage())
      const command = yield* start(folder, ["ingest", "--local", welcome, "endless.pdf", "--out", "texts"])
      yield* command.printed("endless.pdf: accepted", "welcome.pdf: completed")
      yield* command.signal("SIGINT")
      assert.strictEqual(yield* command.ended, 130, command.output())
      assert.include(command.output(), "sluice: interrupted; the rest was not read")
      assert.deepStrictEqual(readdirSync(join(folder, "texts")), ["welcome.txt"])
    })
  )

  it.live("serves without a command, until it is told to stop", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const server = yield* start(folder, [], { PORT: "0", PAGE_WORKERS: "1" })
      yield* server.printed("Sluice listens on http://127.0.0.1:")
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())?.[0] ?? ""
      const status = yield* start(folder, ["status", "--json"], { SLUICE_URL: url })
      assert.strictEqual(yield* status.ended, 0, status.output())
      assert.strictEqual(JSON.parse(status.output()).queue_size, 0)
      yield* server.signal("SIGTERM")
      assert.strictEqual(yield* server.ended, 0, server.output())
    })
  )

  it.live("says in one line why the server cannot start", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const command = yield* start(folder, ["serve"], { PORT: "99999" })
      assert.strictEqual(yield* command.ended, 1)
      assert.match(command.output(), /^Sluice cannot start: PORT: [^\n]*\n$/)
    })
  )
})
