// Makes a cluster in a folder, runs its server, and ends it when the process with the given id is gone, however that ended.
// Arguments: the folder, the id of that process, the folder of Postgres's programs. The server listens on the loopback.
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"

const [folder = "", watched = "", binaries = ""] = process.argv.slice(2)

const idOf = (user: string, kind: "-u" | "-g") => {
  const { status, stdout } = spawnSync("id", [kind, user], { encoding: "utf8" })
  return status === 0 ? Number(stdout) : undefined
}

/** Postgres refuses to run as root. */
const user = (() => {
  if (process.getuid?.() !== 0) return {}
  const name = idOf("postgres", "-u") === undefined ? "nobody" : "postgres"
  return { uid: idOf(name, "-u"), gid: idOf(name, "-g") }
})()

const data = join(folder, "data")
mkdirSync(data)
chmodSync(folder, 0o755)
if (user.uid !== undefined && user.gid !== undefined) {
  chownSync(data, user.uid, user.gid)
  chownSync(folder, user.uid, user.gid)
}

const made = spawnSync(
  join(binaries, "initdb"),
  ["-D", data, "-U", "sluice", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
  { ...user, cwd: folder, encoding: "utf8" }
)
if (made.status !== 0) {
  // Read by the tests that wait for the server; the folder goes with the machine's other temporary files.
  writeFileSync(join(folder, "failed"), `${made.stdout}${made.stderr}`)
  process.exit(1)
}

/** A port of the loopback that was free a moment ago. */
const port = await new Promise<number>((resolve) => {
  const probe = createServer()
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
  })
})

const settings = {
  listen_addresses: "127.0.0.1",
  port: String(port),
  unix_socket_directories: folder,
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "64MB",
  max_connections: "200",
  deadlock_timeout: "100ms",
  log_min_messages: "fatal"
}
const server = spawn(
  join(binaries, "postgres"),
  ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
  { ...user, cwd: folder, stdio: ["ignore", "ignore", "inherit"] }
)

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
