import { Clock, Effect, type Redacted } from "effect"
import { type DatabaseFacts, examine } from "../../layers/postgres/database/Connection.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"

/** Connections that are left to administrators and other programs. */
const leastLeft = 10

const commitsAreLost =
  "Set fsync and synchronous_commit to on, or documents that were accepted are lost with a crash of the database's machine."

export const judgeDatabase = (facts: DatabaseFacts, connections: number, millis: number): Finding => {
  const told =
    `Postgres ${facts.release}, schema ${facts.schema}, up to ${connections} of ${facts.connections} connections ` +
    `(${facts.inUse} are other programs'), reached in ${Math.round(millis)} ms`
  if (!facts.isDurable) return warn("database", `${told}; it does not flush commits`, commitsAreLost)
  return connections + facts.inUse + leastLeft > facts.connections
    ? warn(
        "database",
        told,
        "Lower DATABASE_CONNECTIONS, or raise max_connections of the server; each process opens its own."
      )
    : ok("database", told)
}

/** Connects as a server would, and changes nothing. */
export const checkDatabase = Effect.fnUntraced(function* (database: DatabaseSettings) {
  const { connections, url } = database
  if (url === undefined) return ok("database", "SQLite in the data folder")
  const before = yield* Clock.currentTimeMillis
  return yield* Effect.matchEffect(examine({ url, name: connectionName }), {
    onSuccess: (facts) => Effect.map(Clock.currentTimeMillis, (now) => judgeDatabase(facts, connections, now - before)),
    onFailure: ({ detail }) =>
      Effect.succeed(
        fail("database", `DATABASE_URL: ${detail}`, "A server would not start: docs/postgres.md says what it needs.")
      )
  })
})

interface DatabaseSettings {
  readonly url: Redacted.Redacted | undefined
  readonly connections: number
}

const connectionName = "sluice doctor"

/** Leases are the database's, so clocks may differ; signatures, tokens and what people read are this machine's. */
const mostApart = 1_000

export const judgeClock = (millisAhead: number): Finding => {
  const apart = Math.abs(millisAhead)
  const detail = `the database's is ${(apart / 1000).toFixed(1)} s ${millisAhead < 0 ? "behind" : "ahead"}`
  return apart > mostApart
    ? warn("clock", detail, "Let NTP set the clocks of all machines; removals of originals in a bucket stop at 5 s.")
    : ok("clock", detail)
}

export const checkClock = Effect.fnUntraced(function* ({ url }: DatabaseSettings) {
  if (url === undefined) return ok("clock", "this machine's alone counts")
  return yield* Effect.match(examine({ url, name: connectionName }), {
    onSuccess: ({ millisAhead }) => judgeClock(millisAhead),
    onFailure: () => warn("clock", "not compared with the database's", "Let the database be reached first.")
  })
})
