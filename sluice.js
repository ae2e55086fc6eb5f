#!/usr/bin/env node
// Runs the command line on a Node that can: this one, or the one pinned in optionalDependencies. Written for old Nodes too.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
// As a whole: an old Node does not link the name of what it does not have.
import * as nodeModule from "node:module"
import { constants } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

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
    stdio: ["inherit", "inherit", "inherit", "ipc"]
  })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal))
  }
  child.on("error", (error) => {
    console.error(`sluice: ${node} could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
}

/** npx answers a signal by ending without telling us, so the loss of the shell it started us from is the signal. */
const endWithParent = () => {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    // Once: a second signal would mean at once.
    clearInterval(watch)
    process.kill(process.pid, "SIGTERM")
  }, 500)
  watch.unref()
}

if (major > 22 || (major === 22 && minor >= 19)) {
  if (process.connected) {
    // The launcher that started us is gone without a word.
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"))
    process.channel.unref()
  }
  if (process.env["npm_command"] === "exec") endWithParent()
  // As src/main.ts does it; but that has to be stripped of its types before it can, by 20 MiB of code that then are not loaded.
  nodeModule.enableCompileCache(join(here, "node_modules", ".cache", "sluice"))
  process.argv[1] = main
  await import(pathToFileURL(main).href)
} else {
  const node = pinned()
  if (node) {
    runWith(node)
  } else {
    console.error(`sluice: Node 22.19 or newer is needed, and this is ${process.versions.node}.`)
    process.exit(1)
  }
}
