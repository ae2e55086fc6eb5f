import { Clock, Effect, type Redacted } from "effect"
import { type DatabaseFacts, examine } from "../../layers/postgres/database/Connection.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"

/** Connections that are left to administrators and other programs. */
const leastLeft = 10

const commitsAreLost =
  "Set fsync and synchronous_commit to on, or documents that were accepted are lost with a crash of the database's machine."

export const judgeDatabase = (facts: DatabaseFacts, connections: number, millis: number): Finding => {
  const told = `Postgres ${facts.release}, schema ${facts.schema}, up to ${connections} of ${facts.connections} connections, reached in ${Math.round(millis)} ms`
  if (!facts.isDurable) return warn("database", `${told}; it does not flush commits`, commitsAreLost)
  return connections + leastLeft > facts.connections
    ? warn(
        "database",
        told,
        "Lower DATABASE_CONNECTIONS, or raise max_connections of the server; each process opens its own."
      )
    : ok("database", told)
}

/** Connects as a server would, and changes nothing. */
export const checkDatabase = Effect.fnUntraced(function* (database: {
  readonly url: Redacted.Redacted | undefined
  readonly connections: number
}) {
  const { connections, url } = database
  if (url === undefined) return ok("database", "SQLite in the data folder")
  const before = yield* Clock.currentTimeMillis
  return yield* Effect.matchEffect(examine({ url }), {
    onSuccess: (facts) => Effect.map(Clock.currentTimeMillis, (now) => judgeDatabase(facts, connections, now - before)),
    onFailure: ({ detail }) =>
      Effect.succeed(
        fail("database", `DATABASE_URL: ${detail}`, "A server would not start: docs/postgres.md says what it needs.")
      )
  })
})
