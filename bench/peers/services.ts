// Redis and Postgres, each on a free loopback port and in a temporary folder, and as durable as they can be: what they have
// acknowledged is on the disk.
import { chownSync, existsSync, readdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { Effect } from "effect"
import { CannotRun, freePort, pidOf, run, start, temporaryFolder, waitUntil } from "./processes.ts"

export interface Running {
  readonly port: number
  readonly pid: number
  readonly version: string
  readonly settings: string
}

const loopback = "127.0.0.1"

const pings = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(port, loopback, () => socket.write("PING\r\n"))
    const answer = (found: boolean) => {
      socket.destroy()
      resume(Effect.succeed(found))
    }
    socket.once("data", (data) => answer(data.toString().startsWith("+PONG")))
    socket.once("error", () => answer(false))
  })

/** `appendfsync always`: no answer before the append-only file is synced, one sync for all commands that came meanwhile. */
export const startRedis = Effect.gen(function* () {
  const { ok, output } = yield* run("redis-server", ["--version"])
  if (!ok) return yield* new CannotRun({ message: "there is no redis-server (Debian package redis-server)" })
  const folder = yield* temporaryFolder("redis")
  const port = yield* freePort
  const settings = {
    bind: loopback,
    port,
    dir: folder,
    appendonly: "yes",
    appendfsync: "always",
    // The append-only file is all that is needed.
    save: "",
    "maxmemory-policy": "noeviction"
  }
  const redis = yield* start(
    "redis-server",
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ["ignore", "ignore", "pipe"] }
  )
  yield* waitUntil(redis, pings(port))
  const running: Running = {
    port,
    pid: pidOf(redis),
    version: /v=(\S+)/.exec(output)?.[1] ?? output,
    settings: "appendonly yes, appendfsync always"
  }
  return running
})

/** Where Debian puts what is not on the path. */
const postgresFolders = () => {
  const root = "/usr/lib/postgresql"
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : []
  return ["", ...versions.map((version) => join(root, version, "bin"))]
}

const findPostgres = Effect.gen(function* () {
  for (const folder of postgresFolders()) {
    const { ok, output } = yield* run(join(folder, "postgres"), ["--version"])
    const initdb = yield* run(join(folder, "initdb"), ["--version"])
    if (ok && initdb.ok) return { folder, version: /\d[\d.]*/.exec(output)?.[0] ?? output }
  }
  return yield* new CannotRun({ message: "there is no initdb and postgres (Debian package postgresql)" })
})

/** Postgres refuses to run as root. */
const postgresUser = Effect.gen(function* () {
  if (process.getuid?.() !== 0) return {}
  for (const user of ["postgres", "nobody"]) {
    const [uid, gid] = [yield* run("id", ["-u", user]), yield* run("id", ["-g", user])]
    if (uid.ok && gid.ok) return { uid: Number(uid.output), gid: Number(gid.output) }
  }
  return yield* new CannotRun({ message: "Postgres does not run as root, and there is no user postgres or nobody" })
})

/** Both are the defaults; the others give it room, so that no checkpoint is forced while it is measured. */
const postgresSettings = {
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  shared_buffers: "512MB",
  max_wal_size: "4GB",
  listen_addresses: loopback,
  unix_socket_directories: ""
}

export const startPostgres = Effect.gen(function* () {
  const { folder: binaries, version } = yield* findPostgres
  const user = yield* postgresUser
  const folder = yield* temporaryFolder("postgres")
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const port = yield* freePort
  const options = { ...user, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C" } }
  const initial = yield* run(
    join(binaries, "initdb"),
    ["-D", folder, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"],
    options
  )
  if (!initial.ok) return yield* new CannotRun({ message: `initdb failed: ${initial.output}` })
  const settings = Object.entries(postgresSettings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const postgres = yield* start(
    join(binaries, "postgres"),
    ["-D", folder, "-p", String(port), ...settings],
    { ...options, stdio: ["ignore", "ignore", "pipe"] },
    // A fast shutdown: it does not wait for clients.
    "SIGINT"
  )
  const isReady = run(join(binaries, "pg_isready"), ["-h", loopback, "-p", String(port), "-U", "postgres"], options)
  yield* waitUntil(
    postgres,
    Effect.map(isReady, ({ ok }) => ok)
  )
  const running: Running = { port, pid: pidOf(postgres), version, settings: "fsync on, synchronous_commit on" }
  return running
})
