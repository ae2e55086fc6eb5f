/**
 * `SqlClient` over `node:sqlite`, for migrations and for code that is not on a hot path. To be deleted in favour of
 * `@effect/sql-sqlite-node` once that package has a release for Effect 4.1.
 */
import { Effect, Layer, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlConnection, type SqlError, Statement } from "effect/sql"
import type { SQLInputValue } from "node:sqlite"
import { layer as databaseLayer, SqliteDatabase, type SqliteOptions, toSqlError } from "./SqliteDatabase.ts"

const toInput = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value
    case "boolean":
      return value ? 1 : 0
    case "undefined":
      return null
    default:
      if (value === null || value instanceof Uint8Array) return value
      if (value instanceof Date) return value.toISOString()
      throw new TypeError("SQLite stores numbers, text, bytes and null only")
  }
}

const make = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  const { statements } = database

  const attempt = <A>(body: () => A) =>
    Effect.try({ try: body, catch: (cause) => toSqlError("execute a statement", cause) })

  const execute: SqlConnection.Connection["execute"] = (sql, values, transformRows) =>
    attempt(() => {
      const rows = statements.all(sql, ...values.map(toInput))
      return transformRows === undefined ? rows : transformRows(rows)
    })

  const connection: SqlConnection.Connection = {
    execute,
    executeRaw: (sql, values) => execute(sql, values, undefined),
    executeUnprepared: execute,
    executeValues: (sql, values) => attempt(() => statements.values(sql, ...values.map(toInput))),
    executeValuesUnprepared: (sql, values) => attempt(() => statements.values(sql, ...values.map(toInput))),
    executeStream: () => Stream.die("SQLite rows are not streamed")
  }

  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: database.turn,
      isTransaction: () => statements.inTransaction()
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node:sqlite",
    beginTransaction: "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/** The client on a database that others share. */
export const layerNoDeps: Layer.Layer<SqlClient.SqlClient, never, SqliteDatabase> = Layer.effect(
  SqlClient.SqlClient,
  make
).pipe(Layer.provide(Reactivity.layer))

/** Opens the file, and closes it with the scope. */
export const layer = (options: SqliteOptions): Layer.Layer<SqlClient.SqlClient | SqliteDatabase, SqlError.SqlError> =>
  Layer.provideMerge(layerNoDeps, databaseLayer(options))
