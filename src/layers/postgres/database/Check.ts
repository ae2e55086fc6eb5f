/** What a database has to be for the store, and sentences for what it is not. None of them holds the URL, nor its password. */
import type * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Schema } from "effect"
import type { Connection } from "effect/sql/SqlConnection"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { tableNames } from "../schema/tables.ts"
import { stepNames, table } from "./Migrations.ts"
import { texts } from "./Parameters.ts"
import { type Row, type Statements, statementsOf } from "./PostgresDatabase.ts"

/** The database of `DATABASE_URL` cannot be used, and what to do about it. */
export class DatabaseUnusable extends Schema.TaggedError<DatabaseUnusable>()("DatabaseUnusable", {
  detail: Schema.String
}) {
  override get message() {
    return `DATABASE_URL: ${this.detail}`
  }
}

const refuse = (detail: string) => Effect.fail(new DatabaseUnusable({ detail }))

/** The oldest release that has all that is used here, and is maintained. */
const oldestVersion = 14

/** What Postgres or the system said: the innermost message, with the code that goes with it. */
const said = (error: unknown): { readonly code: string | undefined; readonly message: string } => {
  let found = error
  let code: string | undefined
  for (let depth = 0; depth < 10; depth++) {
    if (typeof found !== "object" || found === null) break
    if ("code" in found && typeof found.code === "string") code = found.code
    const below: unknown = "cause" in found ? found.cause : undefined
    if (typeof below !== "object" || below === null || below === found) break
    found = below
  }
  const message = found instanceof Error ? found.message : String(found)
  return { code, message: message === "" ? (code ?? "no answer") : message }
}

const advice = (tag: string, code: string | undefined): string => {
  if (code === "3D000") return "create that database, or name another one in DATABASE_URL"
  if (code === "53300") return "raise max_connections of the server, or lower DATABASE_CONNECTIONS"
  if (code === "57P03") return "the server is starting or stopping; try again"
  switch (tag) {
    case "AuthenticationError":
      return "correct the user and the password in DATABASE_URL, and see pg_hba.conf of the server"
    case "AuthorizationError":
      return "let the user make tables and functions: GRANT CREATE, USAGE ON SCHEMA … TO its name"
    case "ConnectionError":
      return "start the server, or correct the address in DATABASE_URL (postgres://user:password@host:5432/database)"
    default:
      return "see the log of the database server"
  }
}

export const whyUnusable = (error: SqlError): string => {
  const { code, message } = said(error)
  return `the database cannot be used (${message}): ${advice(error.reason._tag, code)}`
}

const factsSql = `
  SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS release,
    current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
    current_setting('synchronous_commit') AS commits, current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections,
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name NOT LIKE 'sluice%') AS in_use,
    (pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on') AS read_only,
    current_schema() AS schema, current_user::text AS "user",
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
    to_regclass($1) IS NOT NULL AS has_tables`

/** What a database server says of itself. */
export interface DatabaseFacts {
  /** As people write it, such as `16.2`. */
  readonly release: string
  readonly major: number
  /** Whether a commit is on the disk when it succeeds. */
  readonly isDurable: boolean
  /** The most connections of all programs, without those that are kept for administrators. */
  readonly connections: number
  /** Connections of other programs now. */
  readonly inUse: number
  readonly schema: string
}

const stringOf = (row: Row, column: string): string => String(row[column])

/** A pooler that lends connections for one transaction gives two clients the same one, one after the other. */
const isPooledByTransaction = (sql: PgClient.PgClient) =>
  Effect.scoped(
    Effect.gen(function* () {
      const ask = (connection: Connection, text: string) => connection.executeUnprepared(text, [], undefined)
      const process = (connection: Connection) =>
        Effect.map(ask(connection, "SELECT pg_backend_pid()::text AS pid"), ([row]) => JSON.stringify(row))
      const [one, other] = [yield* sql.reserve, yield* sql.reserve]
      const before = yield* process(one)
      yield* ask(other, "BEGIN")
      const held = yield* process(other)
      const after = yield* process(one)
      yield* ask(other, "ROLLBACK")
      return before === held || before !== after
    })
  )

const readFacts = Effect.fnUntraced(function* (db: Statements) {
  const row = (yield* db.get(factsSql, table)) ?? {}
  const major = Math.floor(Number(row["version"]) / 10_000)
  const release = stringOf(row, "release")
  if (major < oldestVersion) {
    return yield* refuse(`the server is Postgres ${release}; use ${oldestVersion} or newer`)
  }
  if (row["encoding"] !== "UTF8") {
    return yield* refuse(
      `the database holds texts as ${stringOf(row, "encoding")}; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`
    )
  }
  if (row["read_only"] === true) {
    return yield* refuse("the server is a replica, or read-only; name the primary server")
  }
  if (row["schema"] === null) {
    return yield* refuse("the search_path of the user names no schema that exists; create one, or name another")
  }
  return {
    facts: {
      release,
      major,
      isDurable: row["fsync"] === "on" && row["commits"] !== "off",
      connections: Number(row["connections"]),
      inUse: Number(row["in_use"]),
      schema: stringOf(row, "schema")
    } satisfies DatabaseFacts,
    user: stringOf(row, "user"),
    mayCreate: row["may_create"] === true,
    hasTables: row["has_tables"] === true
  }
})

const mayNotUse = `
  SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL AND NOT (
    has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
    AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE')
  ) UNION ALL
  SELECT 'change_numbers' WHERE to_regclass('change_numbers') IS NOT NULL AND NOT has_sequence_privilege('change_numbers', 'USAGE')
  LIMIT 1`

/** For tables that another user has made. */
const refuseMissingRights = Effect.fnUntraced(function* (db: Statements, schema: string, user: string) {
  const row = yield* db.get(mayNotUse, texts(tableNames))
  if (row !== undefined) {
    return yield* refuse(
      `the user may not read and write ${stringOf(row, "name")}; run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} ` +
        `TO ${user} and GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${user}`
    )
  }
})

/** How many steps of the tables are missing. Fails if the tables are those of a newer release. */
const missingSteps = Effect.fnUntraced(function* (db: Statements, hasTables: boolean) {
  if (!hasTables) return stepNames.length
  const rows = yield* db.all(`SELECT migration_id, name FROM ${table} ORDER BY migration_id`)
  const foreign = rows.find((row, index) => stepNames[index] !== row["name"])
  if (foreign !== undefined) {
    return yield* refuse(
      `its tables were made by another release of Sluice (step ${stringOf(foreign, "name")}); use that one, or another database`
    )
  }
  return stepNames.length - rows.length
})

/** Refuses a database that cannot be used, with what to do. Changes nothing; answers whether the tables are to be made. */
export const checkDatabase = Effect.fnUntraced(
  function* (sql: PgClient.PgClient) {
    const db = statementsOf(sql)
    const { facts, hasTables, mayCreate, user } = yield* readFacts(db)
    if (yield* isPooledByTransaction(sql)) {
      return yield* refuse(
        "a pooler lends connections for one transaction only; use its session mode, or name the server itself"
      )
    }
    if (hasTables) yield* refuseMissingRights(db, facts.schema, user)
    const missing = yield* missingSteps(db, hasTables)
    if (missing > 0 && !mayCreate) {
      return yield* refuse(
        `the user may not make tables; run GRANT CREATE, USAGE ON SCHEMA ${facts.schema} TO ${user}, or start once as a user who may`
      )
    }
    return { facts, missing }
  },
  Effect.mapError((error) => (isSqlError(error) ? new DatabaseUnusable({ detail: whyUnusable(error) }) : error))
)
