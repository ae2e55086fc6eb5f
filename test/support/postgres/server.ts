// The Postgres of the run, and databases in it for test files.
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Redacted } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { onRealClock } from "../clock.ts"
import { inject } from "vitest"
import { until } from "../service.ts"
import { postgresBinaries } from "./binaries.ts"

const keeper = fileURLToPath(new URL("keeper.ts", import.meta.url))

/** Only one of all test files succeeds in making the folder, and starts the server. */
const begin = (folder: string) =>
  Effect.sync(() => {
    try {
      mkdirSync(join(folder, "begun"))
    } catch {
      return
    }
    const args = ["--no-warnings", keeper, folder, String(inject("runProcess")), postgresBinaries ?? ""]
    spawn(process.execPath, args, { detached: true, stdio: "ignore" }).unref()
  })

type Start = { readonly port: string } | { readonly failure: string } | undefined

/** The file that Postgres keeps holds the port in its fourth line, and in its eighth whether the server is ready. */
const look = (folder: string) =>
  Effect.sync((): Start => {
    const failed = join(folder, "failed")
    if (existsSync(failed)) return { failure: readFileSync(failed, "utf8") }
    const started = join(folder, "data/postmaster.pid")
    if (!existsSync(started)) return undefined
    const lines = readFileSync(started, "utf8").split("\n")
    return lines[7]?.trim() === "ready" ? { port: lines[3] ?? "" } : undefined
  })

/** The URL of a database of the server. The first call of a run starts the server. */
export const urlOf = Effect.fnUntraced(function* (database: string, user = "sluice") {
  const folder = inject("postgresFolder")
  yield* begin(folder)
  const start = yield* onRealClock(until(look(folder), (found) => found !== undefined))
  if (start === undefined || "failure" in start) {
    return yield* Effect.die(new Error(`Postgres does not start: ${start?.failure ?? "no answer"}`))
  }
  return Redacted.make(`postgres://${user}@127.0.0.1:${start.port}/${database}`)
})

/** Runs statements one by one in a database, as the owner of the server. */
export const execute = (database: string, ...statements: ReadonlyArray<string>) =>
  onRealClock(
    Effect.gen(function* () {
      const client = yield* PgClient.make({ url: yield* urlOf(database), maxConnections: 1 })
      const results: Array<ReadonlyArray<unknown>> = []
      for (const statement of statements) results.push(yield* client.unsafe(statement).unprepared)
      return results
    }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))
  )

let made = 0

/** A new database, empty; answers with its name. It lasts as long as the server. */
export const newDatabase = Effect.suspend(() => {
  const name = `test_${process.pid}_${Math.floor(performance.now())}_${made++}`
  return Effect.as(execute("postgres", `CREATE DATABASE ${name}`), name)
})
