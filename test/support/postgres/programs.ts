// Postgres's own programs, run on a folder: they make a cluster of databases, and serve it on the loopback.
import { type ChildProcess, spawn, spawnSync, type SpawnOptions } from "node:child_process"
import { chmodSync, chownSync, mkdirSync } from "node:fs"
import { join } from "node:path"

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

const dataOf = (folder: string) => join(folder, "data")

/** Makes a cluster below the folder, whose owner `sluice` needs no password. Throws with what `initdb` said. */
export const makeCluster = (folder: string, binaries: string): void => {
  const data = dataOf(folder)
  mkdirSync(data)
  chmodSync(folder, 0o755)
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(data, user.uid, user.gid)
    chownSync(folder, user.uid, user.gid)
  }
  const { status, stderr, stdout } = spawnSync(
    join(binaries, "initdb"),
    ["-D", data, "-U", "sluice", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...user, cwd: folder, encoding: "utf8" }
  )
  if (status !== 0) throw new Error(`${stdout}${stderr}`)
}

/** Fast rather than safe: a crash of the machine may lose commits. One of the server does not. */
const settings = {
  listen_addresses: "127.0.0.1",
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "64MB",
  max_connections: "200",
  deadlock_timeout: "100ms",
  log_min_messages: "fatal"
}

/** Starts the server of the cluster. */
export const serve = (
  folder: string,
  binaries: string,
  port: number,
  options: { readonly stdio: SpawnOptions["stdio"]; readonly settings?: Readonly<Record<string, string>> }
): ChildProcess => {
  const all = { ...settings, port: String(port), unix_socket_directories: folder, ...options.settings }
  return spawn(
    join(binaries, "postgres"),
    ["-D", dataOf(folder), ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { ...user, cwd: folder, stdio: options.stdio }
  )
}
