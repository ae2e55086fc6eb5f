// The database of a run: a Postgres of its own that can be restarted, or the one that DATABASE_URL names.
import { Effect, Schedule } from "effect"
import type { ChildProcess } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { makeCluster, serve } from "../../support/postgres/programs.ts"
import { freePort } from "../server.ts"

export interface Database {
  /** With a name for the process, which is then in the record of what it writes. */
  readonly urlFor: (process: string) => string
  /** Ends the server, and starts it again after so long; absent if it is not the run's own. */
  readonly restart: ((how: "fast" | "immediate", awayMillis: number) => Effect.Effect<void>) | undefined
}

/** The setting, of a session of the database, that names the process. */
export const processSetting = "chaos.process"

const withName = (url: string) => (process: string) => {
  const named = new URL(url)
  named.searchParams.set("options", `-c ${processSetting}=${process}`)
  return named.href
}

const answers = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = createConnection(port, "127.0.0.1")
    socket.once("connect", () => resume(Effect.succeed(true)))
    socket.once("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  })

const endOf = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
  })

const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const

/** A server of its own, on a folder that goes with the scope. */
const startOwn = Effect.gen(function* () {
  const binaries = postgresBinaries
  if (binaries === undefined) return yield* Effect.die(new Error(withoutPostgres))
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-chaos-postgres-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  makeCluster(folder, binaries)
  const port = yield* freePort
  let server: ChildProcess | undefined
  const end = (signal: NodeJS.Signals) =>
    Effect.suspend(() => {
      server?.kill(signal)
      return server === undefined ? Effect.void : endOf(server)
    })
  const begin = Effect.suspend(() => {
    server = serve(folder, binaries, port, { stdio: "ignore" })
    const look = Effect.suspend(() =>
      server?.exitCode === null ? answers(port) : Effect.die(new Error("Postgres ended at its start"))
    )
    return Effect.repeat(look, { until: (is) => is, schedule: Schedule.spaced("20 millis") })
  })
  yield* Effect.addFinalizer(() => end("SIGQUIT"))
  yield* begin
  const database: Database = {
    urlFor: withName(`postgres://sluice@127.0.0.1:${port}/postgres`),
    restart: (how, awayMillis) => Effect.asVoid(Effect.andThen(end(signals[how]), Effect.delay(begin, awayMillis)))
  }
  return database
})

/** The database has to be an empty one, in which the user may make tables, functions and triggers. */
export const openDatabase = (url: string | undefined) =>
  url === undefined ? startOwn : Effect.succeed<Database>({ urlFor: withName(url), restart: undefined })
