// What ends with the package manager that started it, and what does not. The processes are real, and as small as can be.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { childrenOf } from "../support/serverProcess.ts"
import { temporaryFolder } from "../support/service.ts"
import { startProgram } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const system = { PATH: "/usr/bin:/bin" }

/** Says when it is told to stop; or, with time for three looks at its parents, that it outlived the one it had. */
const sleeper = `
  const { endWithParent } = await import(${JSON.stringify(join(root, "launcher/Parents.js"))})
  const before = process.ppid
  const orphaned = new Promise((resolve) => {
    const look = setInterval(() => process.ppid === before || (clearInterval(look), resolve()), 20)
  })
  const letShellEnd = () => process.argv.includes("loosely") && process.kill(before, "SIGUSR1")
  process.on("SIGTERM", () => { console.log("told"); process.exit() })
  if (process.argv.includes("late")) {
    letShellEnd()
    await orphaned
  }
  endWithParent()
  console.log("ready " + process.pid)
  if (!process.argv.includes("late")) letShellEnd()
  await orphaned
  setTimeout(() => { console.log("outlived"); process.exit() }, 1600)
`

/** A shell's script that starts this in the background, and ends when it is told that this is far enough. */
const inBackground = (command: string) => `trap 'exit 0' USR1; ${command} & wait`

/** Runs a shell's script with these variables, as a package manager does, and takes no part in what comes of it. */
const manager = `
  const { given, script } = JSON.parse(process.argv[1])
  const { spawn } = require("node:child_process")
  const child = spawn("sh", ["-c", script], { stdio: "inherit", env: { ...process.env, ...given } })
  child.on("exit", () => console.log("script ended"))
  console.log("shell " + child.pid)
  setInterval(() => {}, 1e6)
`

const inScript = { npm_lifecycle_event: "start" }

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
const node = quoted(process.execPath)
const sluice = `${node} --input-type=module -e ${quoted(sleeper)} sluice`

/** Starts a manager with that script. Further arguments are what it tells scripts by variables, besides the script itself. */
const startManager = (script: string, given: Readonly<Record<string, string>> = inScript) =>
  startProgram(
    root,
    [process.execPath, "-e", manager, JSON.stringify({ given: { npm_lifecycle_script: script, ...given }, script })],
    system
  )

const numberAfter = (word: string, output: string) => Number(new RegExp(`${word} (\\d+)`).exec(output)?.[1])

/** Not dead, and not merely still listed because nothing has asked how it ended. */
const isAlive = (pid: number) => {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

/** Succeeds once none of them is left: the last to go may still be ending when its output has ended. */
const gone = (pids: ReadonlyArray<number>) =>
  Effect.sync(() => pids.some(isAlive)).pipe(
    Effect.repeat({ until: (some) => !some, schedule: Schedule.spaced("20 millis") })
  )

describe("A process that a package manager's script waits for", () => {
  for (const [how, script] of [
    ["the shell's own process", `exec ${sluice}`],
    ["a child of the shell", `${sluice}; :`],
    [
      "below shells and another program",
      `sh -c ${quoted(
        `${node} -e ${quoted(`
      require("node:child_process").spawn("sh", ["-c", process.argv[1]], { stdio: "inherit" }).on("exit", () => process.exit())
      setInterval(() => {}, 1e6)
    `)} ${quoted(`${sluice}; :`)}; :`
      )}; :`
    ],
    ["beside something in the background", `true & ${sluice} 2>&1; :`]
  ] as const) {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      it.live(`ends when the manager gets ${signal}: ${how}`, () =>
        Effect.gen(function* () {
          const run = yield* startManager(script)
          yield* run.printed("ready")
          yield* run.signal(signal)
          yield* run.printed("told")
        })
      )
    }
  }

  it.live("ends when the shell is killed", () =>
    Effect.gen(function* () {
      const run = yield* startManager(`${sluice}; :`)
      yield* run.printed("ready", "shell")
      process.kill(numberAfter("shell", run.output()), "SIGKILL")
      yield* run.printed("told")
    })
  )

  it.live("ends with npx, which names no script", () =>
    Effect.gen(function* () {
      const run = yield* startManager(`${sluice}; :`, { npm_command: "exec" })
      yield* run.printed("ready")
      yield* run.signal("SIGTERM")
      yield* run.printed("told")
    })
  )
})

describe("A process that is meant to outlive what started it", () => {
  for (const [how, script, given] of [
    ["started by a shell", inBackground(`${sluice} loosely`), {}],
    ["left in the background by a script", inBackground(`${sluice} loosely`), inScript],
    ["left in the background with nohup", inBackground(`nohup ${sluice} loosely 2>&1`), inScript],
    [
      "whose parent had ended before",
      inBackground(`${sluice} loosely late`),
      { ...inScript, npm_lifecycle_script: "sluice" }
    ],
    ["in a session of its own", `setsid ${sluice}; :`, { ...inScript, npm_lifecycle_script: "sluice" }]
  ] as const) {
    it.live(`lives on: ${how}`, () =>
      Effect.gen(function* () {
        const run = yield* startManager(script, given)
        if (script.includes("setsid")) {
          yield* run.printed("ready")
          process.kill(numberAfter("shell", run.output()), "SIGKILL")
        }
        yield* run.printed("ready", "script ended", "outlived")
        assert.notInclude(run.output(), "told")
      })
    )
  }
})

describe.skipIf(process.platform !== "linux" || spawnSync("npm", ["--version"]).status !== 0)("npm start", () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it.live(`leaves no process behind when npm gets ${signal}`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const PATH = execFileSync("sh", ["-c", "echo $PATH"], { encoding: "utf8" }).trim()
        const npm = yield* startProgram(root, ["npm", "start"], {
          PATH,
          HOME: folder,
          DATA_DIR: folder,
          PORT: "0",
          PAGE_WORKERS: "1"
        })
        yield* npm.printed("Sluice listens on")
        const family = (pid: number): ReadonlyArray<number> =>
          childrenOf(pid).flatMap((child) => [child, ...family(child)])
        const below = family(npm.pid)
        // A shell, the server, and what reads pages.
        assert.isAtLeast(below.length, 3)
        yield* npm.signal(signal)
        // Not before the last process that could print has ended.
        yield* npm.ended
        yield* gone(below)
      })
    )
  }
})

/** A Node on the PATH that cannot run the program itself. */
const oldNode = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .filter(existsSync)
  .find((path) => {
    const [major = 0, minor = 0] = String(spawnSync(path, ["-p", "process.versions.node"]).stdout)
      .split(".")
      .map(Number)
    return major < 22 || (major === 22 && minor < 19)
  })

describe.skipIf(oldNode === undefined)("The launcher on an older Node (where the PATH has one)", () => {
  for (const which of ["the manager", "the launcher"]) {
    it.live(`leaves no server behind when ${which} is killed`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const run = yield* startManager(`${oldNode} ${quoted(join(root, "sluice.js"))}; :`, {
          npm_lifecycle_event: "start",
          npm_lifecycle_script: "sluice",
          DATA_DIR: folder,
          PORT: "0",
          PAGE_WORKERS: "1"
        })
        yield* run.printed("Sluice listens on", "shell")
        const [launcher = 0] = childrenOf(numberAfter("shell", run.output()))
        const servers = childrenOf(launcher)
        assert.strictEqual(servers.length, 1)
        if (which === "the launcher") {
          process.kill(launcher, "SIGKILL")
          yield* run.printed("script ended")
          yield* run.signal("SIGKILL")
        } else {
          yield* run.signal("SIGKILL")
        }
        yield* run.ended
        yield* gone([launcher, ...servers])
      })
    )
  }
})
