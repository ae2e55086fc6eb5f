// Makes a cluster in a folder, runs its server, and ends it when the process with the given id is gone, however that ended.
// Arguments: the folder, the id of that process, the folder of Postgres's programs. The server listens on the loopback.
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findFreePort } from "../ports.ts"
import { makeCluster, serve } from "./programs.ts"

const [folder = "", watched = "", binaries = ""] = process.argv.slice(2)

try {
  makeCluster(folder, binaries)
} catch (error) {
  // Read by the tests that wait for the server; the folder goes with the machine's other temporary files.
  writeFileSync(join(folder, "failed"), String(error))
  process.exit(1)
}

const server = serve(folder, binaries, await findFreePort(), { stdio: ["ignore", "ignore", "inherit"] })

const isThere = (process_: number) => {
  try {
    process.kill(process_, 0)
    return true
  } catch {
    return false
  }
}

const watch = setInterval(() => {
  if (isThere(Number(watched))) return
  server.kill("SIGQUIT")
}, 500)

server.once("exit", () => {
  clearInterval(watch)
  rmSync(folder, { recursive: true, force: true })
})
