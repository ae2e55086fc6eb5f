/** The pool of connections, and what is asked of a database before the store begins. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Clock, Duration, Effect, Layer, Redacted, Result } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql"
import { isSqlError } from "effect/sql/SqlError"
import { checkDatabase, type DatabaseFacts, DatabaseUnusable, whyUnusable } from "./Check.ts"
import { defaultConnections } from "./PoolSize.ts"
import { migrate } from "./Migrations.ts"
import { make, PostgresDatabase, type Statements, statementsOf } from "./PostgresDatabase.ts"

export type { DatabaseFacts } from "./Check.ts"

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database?sslmode=require`. */
  readonly url: Redacted.Redacted
  /** The most connections of this process. */
  readonly connections?: number | undefined
  /** What the server lists the connections as: `sluice` for servers. */
  readonly name?: string
}

/** A document with its outline, or a portion of pages, in one row: far more than any has. */
const largestMessage = 256 * 1024 * 1024

/** Every number that the store keeps is an exact number in JavaScript, too. */
const numbers = (() => {
  const registry = PgTypes.makeRegistry()
  registry.register<number | bigint>(PgTypes.OID.int8, {
    encode: (value) => PgTypes.encode(BigInt(value), PgTypes.OID.int8),
    decode: (bytes) => Result.map(PgTypes.decode(bytes, PgTypes.OID.int8, 1), Number)
  })
  return registry
})()

export const makeClient = ({ connections = defaultConnections, name = "sluice", url }: ConnectionOptions) =>
  PgClient.make({
    url,
    maxConnections: connections,
    idleTimeout: Duration.minutes(1),
    connectTimeout: Duration.seconds(5),
    applicationName: name,
    maxMessageSize: largestMessage,
    preparedStatementCacheSize: 200,
    types: numbers
  })

const unusable = (error: unknown) =>
  error instanceof DatabaseUnusable
    ? error
    : new DatabaseUnusable({
        detail: isSqlError(error) ? whyUnusable(error) : `its tables cannot be made (${String(error)})`
      })

/** The innermost failure of a step that makes tables. */
const causeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "MigrationError" && "cause" in error
    ? (error.cause ?? error)
    : error

/** Commits that are lost with a crash of the database's machine are not what the store promises. */
const warn = ({ isDurable }: DatabaseFacts) =>
  isDurable
    ? Effect.void
    : Effect.logWarning(
        "the database does not flush its commits (fsync or synchronous_commit is off): a crash of its machine loses documents that were accepted"
      )

const isPostgres = (url: Redacted.Redacted) => /^postgres(ql)?:\/\//.test(Redacted.value(url))

const noUrl = new DatabaseUnusable({
  detail: "it has to be the URL of a Postgres database: postgres://user:password@host:5432/database"
})

const open = Effect.fnUntraced(
  function* (options: ConnectionOptions) {
    if (!isPostgres(options.url)) return yield* noUrl
    const client = yield* makeClient(options)
    const { facts, missing } = yield* checkDatabase(client)
    yield* warn(facts)
    if (missing > 0) yield* Effect.provideService(migrate, SqlClient.SqlClient, client)
    return make(client)
  },
  Effect.mapError((error) => unusable(causeOf(error)))
)

/** Opens the pool, checks the database, and brings its tables up to date, which one process does at a time. */
export const layer = (options: ConnectionOptions): Layer.Layer<PostgresDatabase, DatabaseUnusable> =>
  Layer.effect(PostgresDatabase, open(options)).pipe(Layer.provide(Reactivity.layer))

/** How far the clock of the database is ahead of the one here. The way there and back counts half. */
const millisAhead = Effect.fnUntraced(function* (db: Statements) {
  const before = yield* Clock.currentTimeMillis
  const row = yield* db.get("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now")
  const after = yield* Clock.currentTimeMillis
  return Number(row?.["now"]) - (before + after) / 2
})

/** The check value of the key that the database was sealed with, if it has one. */
const keyCheckOf = Effect.fnUntraced(function* (db: Statements) {
  const there = yield* db.get("SELECT to_regclass('sealing_key') IS NOT NULL AS there")
  if (there?.["there"] !== true) return undefined
  const value = (yield* db.get("SELECT check_value FROM sealing_key"))?.["check_value"]
  return typeof value === "string" ? value : undefined
})

export interface Examined extends DatabaseFacts {
  readonly millisAhead: number
  readonly keyCheck: string | undefined
}

/** Looks at the database, and changes nothing. */
export const examine = (options: ConnectionOptions): Effect.Effect<Examined, DatabaseUnusable> =>
  Effect.gen(function* () {
    if (!isPostgres(options.url)) return yield* noUrl
    const client = yield* makeClient({ ...options, connections: 2 })
    const { facts } = yield* checkDatabase(client)
    const db = statementsOf(client)
    return { ...facts, millisAhead: yield* millisAhead(db), keyCheck: yield* keyCheckOf(db) }
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer), Effect.mapError(unusable))
