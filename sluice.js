#!/usr/bin/env node
// Runs the command line on a Node that can: this one, or the one pinned in optionalDependencies. Written for old Nodes too.
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
// As a whole: an old Node does not link the name of what it does not have.
import * as nodeModule from "node:module"
import { constants } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { endWithParent } from "./launcher/Parents.js"

const here = dirname(fileURLToPath(import.meta.url))
const [major, minor] = process.versions.node.split(".").map(Number)

// In a clone the sources run as they are; Node refuses to strip types below node_modules, so the package brings dist.
const source = join(here, "src", "main.ts")
const main = existsSync(source) ? source : join(here, "dist", "main.js")

const pinned = () => {
  const require = nodeModule.createRequire(import.meta.url)
  const platform = process.platform === "win32" ? "win" : process.platform
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      const manifest = require.resolve(`${name}/package.json`)
      return join(dirname(manifest), require(manifest).bin.node)
    } catch {
      // Not installed on this platform.
    }
  }
  return undefined
}

/** Starts this launcher again on that Node. The child gets our signals, ends with us, and its end becomes ours. */
const runWith = (node) => {
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, SLUICE_LAUNCHER: String(process.pid) }
  })
  const forget = endWithParent()
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      forget()
      child.kill(signal)
    })
  }
  child.on("error", (error) => {
    console.error(`sluice: ${node} could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
}

/** Whether it was this launcher, on an older Node, that started us. */
const isRelaunched = () => process.connected && process.env["SLUICE_LAUNCHER"] === String(process.ppid)

/** By itself this loads nothing of what is asked for it; `sluice --json --version` and the like go the longer way. */
const printVersion = () => {
  const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"))
  console.log(`sluice v${version}`)
}

/** Loads the program, which goes on when this has returned. */
const runHere = async () => {
  let forget = () => {}
  if (isRelaunched()) {
    // The launcher that started us is gone without a word.
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"))
    process.channel.unref()
  } else {
    forget = endWithParent()
  }
  // As src/main.ts does it; but that has to be stripped of its types before it can, by 20 MiB of code that then are not loaded.
  nodeModule.enableCompileCache(join(here, "node_modules", ".cache", "sluice"))
  process.argv[1] = main
  await import(pathToFileURL(main).href)
  // Not before the program handles them: a signal with a handler no longer ends a process.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, forget)
}

if (process.argv.length === 3 && ["--version", "-v"].includes(process.argv[2])) {
  printVersion()
} else if (major > 22 || (major === 22 && minor >= 19)) {
  await runHere()
} else {
  const node = pinned()
  if (node) {
    runWith(node)
  } else {
    console.error(`sluice: Node 22.19 or newer is needed, and this is ${process.versions.node}.`)
    process.exit(1)
  }
}
