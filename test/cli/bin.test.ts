// The command as it is installed: a process of its own, started through its launcher.
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { spinningPage } from "../support/pdf.ts"
import { temporaryFolder } from "../support/service.ts"
import { command, start } from "./command.ts"

const welcome = fileURLToPath(new URL("../../examples/welcome.pdf", import.meta.url))

describe("The installed command", () => {
  it.live("reads a PDF without a server", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const started = yield* start(folder, ["ingest", "--local", welcome, "--out", "texts"])
      assert.strictEqual(yield* started.ended, 0, started.output())
      assert.deepStrictEqual(readdirSync(join(folder, "texts")), ["welcome.txt"])
      assert.include(readFileSync(join(folder, "texts", "welcome.txt"), "utf8"), "everything works")
      assert.include(started.output(), `completed, 1 page, in ${join("texts", "welcome.txt")}`)
    })
  )

  it.live("reads a pipe and writes into one, and ends quietly when nobody reads any more", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const line = `cat '${welcome}' | "$@" ingest --local - --out - --format md`
      const run = (script: string) =>
        Effect.sync(() =>
          spawnSync("sh", ["-c", script, "sh", ...command], { cwd: folder, encoding: "utf8", timeout: 120_000 })
        )
      const piped = yield* run(line)
      assert.strictEqual(piped.status, 0, piped.stderr)
      assert.match(piped.stdout, /^[^]*everything works[^]*\n$/)
      assert.include(piped.stderr, "-: completed, 1 page")
      const cut = yield* run(`{ ${line}; echo "exit $?" >&2; } | true`)
      assert.match(cut.stderr, /exit 1\n$/)
      assert.notMatch(cut.stderr, /EPIPE|Error|at /)
    })
  )

  it.live("leaves nothing half-written when it is interrupted, and ends with 130", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "endless.pdf"), spinningPage())
      const started = yield* start(folder, ["ingest", "--local", welcome, "endless.pdf", "--out", "texts"])
      yield* started.printed("endless.pdf: accepted", "welcome.pdf: completed")
      yield* started.signal("SIGINT")
      assert.strictEqual(yield* started.ended, 130, started.output())
      assert.include(started.output(), "sluice: interrupted; the rest was not read")
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

  it.live("tells its version without loading what it is the version of", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
      for (const flag of ["--version", "-v"]) {
        const command = yield* start(folder, [flag], { NODE_DEBUG: "esm" })
        assert.strictEqual(yield* command.ended, 0)
        assert.include(command.output(), `sluice v${version}\n`)
        assert.notInclude(command.output(), "effect")
        // As the command line itself says it.
        const long = yield* start(folder, [flag, "--json"])
        assert.strictEqual(yield* long.ended, 0)
        assert.strictEqual(long.output(), `sluice v${version}\n`)
      }
    })
  )

  it.live("prints its help without loading the engine, the interface, or all of effect", () =>
    Effect.gen(function* () {
      const command = yield* start(yield* temporaryFolder, ["--help"], { NODE_DEBUG: "esm" })
      assert.strictEqual(yield* command.ended, 0)
      assert.include(command.output(), "SUBCOMMANDS")
      assert.include(command.output(), "/effect/dist/Effect.js")
      for (const loaded of ["/effect/dist/index.js", "/src/client.ts", "/src/http/", "/src/actors/"])
        assert.notInclude(command.output(), loaded)
    })
  )

  it.live("says in one line why the server cannot start", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const started = yield* start(folder, ["serve"], { PORT: "99999" })
      assert.strictEqual(yield* started.ended, 1)
      assert.match(started.output(), /^Sluice cannot start: PORT: [^\n]*\n$/)
    })
  )
})
