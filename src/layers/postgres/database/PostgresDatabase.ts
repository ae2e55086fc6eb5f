/** The single door to the database: what runs there, how it fails, and what is tried again. */
import type * as PgClient from "@effect/sql-pg/PgClient"
import { Context, Effect, Schedule } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { untraced } from "../../../observability/Untraced.ts"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"

export type Row = Readonly<Record<string, unknown>>

/** `int8` comes as a number. Values are text, numbers, bytes, or made by `Parameters.ts`. */
export interface Statements {
  readonly all: (sql: string, ...values: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  /** The first row, if there is one. */
  readonly get: (sql: string, ...values: ReadonlyArray<unknown>) => Effect.Effect<Row | undefined, SqlError>
}

export const statementsOf = (sql: PgClient.PgClient): Statements => {
  const all: Statements["all"] = (text, ...values) => sql.unsafe<Row>(text, values)
  return { all, get: (text, ...values) => Effect.map(all(text, ...values), (rows) => rows[0]) }
}

export type Work<A, E> = (db: Statements) => Effect.Effect<A, E | SqlError>

type Run = <A, E = never>(
  operation: string,
  work: Work<A, E>
) => Effect.Effect<A, Exclude<E, SqlError> | StoreUnavailable>

export class PostgresDatabase extends Context.Service<
  PostgresDatabase,
  {
    /**
     * Runs the work, and runs it again, up to a bound, if it lost against another transaction. Each statement is a transaction
     * of its own.
     */
    readonly run: Run
    /** The same with all statements of the work in one transaction. */
    readonly transact: Run
  }
>()("sluice/layers/postgres/PostgresDatabase") {}

const lostTo: ReadonlySet<string> = new Set(["DeadlockError", "SerializationError", "LockTimeoutError"])

/** Nothing of the transaction was kept, and the same may succeed now. */
const isLost = (error: unknown): boolean => isSqlError(error) && lostTo.has(error.reason._tag)

/** Waits 10 to 200 milliseconds or so, each time at random, so that those that met do not meet again. */
const again = Schedule.exponential("10 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

export const make = (sql: PgClient.PgClient): PostgresDatabase["Service"] => {
  const db = statementsOf(sql)
  /** Without spans of statements: the methods of the store have their own, with either database. */
  const guarded = <A, E>(operation: string, effect: Effect.Effect<A, E | SqlError>) =>
    untraced(effect).pipe(
      Effect.retry({ while: isLost, schedule: again }),
      Effect.mapError((error): Exclude<E, SqlError> | StoreUnavailable =>
        isSqlError(error)
          ? new StoreUnavailable({ operation, cause: error })
          : // oxlint-disable-next-line typescript/consistent-type-assertions -- the other kind is excluded just before
            (error as Exclude<E, SqlError>)
      )
    )
  return {
    run: (operation, work) =>
      guarded(
        operation,
        Effect.suspend(() => work(db))
      ),
    transact: (operation, work) => guarded(operation, sql.withTransaction(Effect.suspend(() => work(db))))
  }
}
