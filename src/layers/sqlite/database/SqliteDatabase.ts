/**
 * Owns the one connection to an SQLite file: its settings, its prepared statements, and the turns of its callers.
 *
 * SQLite answers synchronously, so a function given to `use` runs whole: no other fiber can come between its statements, and it
 * cannot be interrupted half-way.
 */
import { fdatasync, fstatSync, openSync } from "node:fs"
import { Cause, Context, Effect, Layer, Semaphore } from "effect"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import { makePrivate } from "../../folder/DataDirectory.ts"
import { call, closeFile } from "../../blobs/Files.ts"
import * as Checkpoints from "./Checkpoints.ts"
import { TransactionWork } from "./TransactionWork.ts"
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite"

export type Row = Record<string, SQLOutputValue>

/** The connection during one turn. Every method throws what SQLite answers; `use` turns that into an `SqlError`. */
export interface Statements {
  readonly get: (sql: string, ...values: Array<SQLInputValue>) => Row | undefined
  readonly all: (sql: string, ...values: Array<SQLInputValue>) => Array<Row>
  /** One by one, so that not all are in memory at once. The iteration has to end before the same statement is used again. */
  readonly each: (sql: string, ...values: Array<SQLInputValue>) => Iterable<Row>
  /** The number of rows changed, not counting what triggers changed. */
  readonly run: (sql: string, ...values: Array<SQLInputValue>) => number
  readonly values: (sql: string, ...values: Array<SQLInputValue>) => ReadonlyArray<ReadonlyArray<SQLOutputValue>>
  readonly exec: (sql: string) => void
  readonly inTransaction: () => boolean
  /** Of the transaction of a group commit. */
  readonly work: TransactionWork
  /** Makes a function without arguments known to SQL. It is called once for each row of a statement. */
  readonly define: (name: string, body: () => number) => void
}

export interface SqliteOptions {
  /** A path, or `:memory:`. The folder has to exist. */
  readonly filename: string
}

const statementCacheSize = 200

/**
 * A commit appends to the write-ahead log and does not wait for the disk: `flush` does, without blocking this thread. The log
 * is in order, so a flushed commit is on the disk with everything that was committed before it. No commit brings the log into
 * the database: another thread does. The log's file is cut back when it has grown.
 */
const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA foreign_keys = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -12288;
  PRAGMA journal_size_limit = 67108864;
`

/** Node keeps SQLite's own number in `errcode`; the classifier looks for it in `errno`. */
export const toSqlError = (operation: string, cause: unknown): SqlError => {
  if (cause instanceof SqlError) return cause
  const errno = typeof cause === "object" && cause !== null && "errcode" in cause ? cause.errcode : undefined
  const known = cause instanceof Error && errno !== undefined ? Object.assign(cause, { errno }) : cause
  return new SqlError({ reason: classifySqliteError(known, { operation, message: `SQLite failed to ${operation}` }) })
}

/** SQLite's codes for a file that is damaged, and for one that is no database. */
const damageCodes: ReadonlySet<number> = new Set([11, 26])

const isDamage = (error: unknown): error is Error =>
  error instanceof Error &&
  "errcode" in error &&
  typeof error.errcode === "number" &&
  damageCodes.has(error.errcode & 0xff)

const makeStatements = (database: DatabaseSync, onDamage: (message: string) => void): Statements => {
  /** Reports an error that says that the file is damaged, and throws it on. */
  const watched = <A>(ask: () => A): A => {
    try {
      return ask()
    } catch (error) {
      if (isDamage(error)) onDamage(error.message)
      throw error
    }
  }
  const prepared = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    const oldest = prepared.size >= statementCacheSize ? prepared.keys().next().value : undefined
    if (oldest !== undefined) prepared.delete(oldest)
    prepared.set(sql, statement)
    return statement
  }
  return {
    get: (sql, ...values) => watched(() => prepare(sql).get(...values)),
    all: (sql, ...values) => watched(() => prepare(sql).all(...values)),
    each: (sql, ...values) => watched(() => prepare(sql).iterate(...values)),
    run: (sql, ...values) => watched(() => Number(prepare(sql).run(...values).changes)),
    values: (sql, ...values) => {
      const statement = database.prepare(sql)
      const width = statement.columns().map((column) => column.name)
      return statement.all(...values).map((row) => width.map((name) => row[name] ?? null))
    },
    exec: (sql) => watched(() => database.exec(sql)),
    inTransaction: () => database.isTransaction,
    work: new TransactionWork(),
    define: (name, body) => database.function(name, { deterministic: false }, body)
  }
}

export class SqliteDatabase extends Context.Service<
  SqliteDatabase,
  {
    /** Runs the function alone on the connection. Not to be called from inside a transaction of the `SqlClient`. */
    readonly use: <A>(operation: string, body: (statements: Statements) => A) => Effect.Effect<A, SqlError>
    /**
     * Brings everything committed by now to the disk. Only then may a write be reported outside this process.
     *
     * After a flush that failed it is not known which part of the log is on the disk, and the system may not report the failure
     * again. So from then on every flush fails, and every `use`: nothing must be built upon what is in memory. Only a new
     * process can read what there is.
     */
    readonly flush: Effect.Effect<void, SqlError>
    /** The connection's turn, for an adapter that holds it over several steps. */
    readonly turn: Semaphore.Semaphore
    readonly statements: Statements
    /** What SQLite said when it found the file damaged, if it ever did. */
    readonly damage: () => string | undefined
  }
>()("sluice/layers/sqlite/database/SqliteDatabase") {}

/** SQLite makes the log with the first transaction, syncs its name, and keeps the file until the last connection is closed. */
const makeFlush = Effect.fnUntraced(function* (filename: string, turn: Semaphore.Semaphore) {
  if (filename === ":memory:") return Effect.void
  let log: number | undefined
  yield* Effect.addFinalizer(() => (log === undefined ? Effect.void : closeFile(log)))
  const checkpoints = yield* Checkpoints.make(yield* Checkpoints.inThread(filename), turn)
  return Effect.suspend(() => {
    const descriptor = (log ??= openSync(`${filename}-wal`, "r+"))
    return Effect.andThen(
      call<void>((done) => fdatasync(descriptor, done)),
      Effect.sync(() => checkpoints.flushed(fstatSync(descriptor).size))
    )
  }).pipe(Effect.catchCause((cause) => Effect.fail(toSqlError("flush its log", Cause.squash(cause)))))
})

/** From the first failed flush on, both always fail. */
export const failingForGood = (flush: Effect.Effect<void, SqlError>) => {
  let broken: SqlError | undefined
  const intact = Effect.suspend(() => (broken === undefined ? Effect.void : Effect.fail(broken)))
  const orBreak = Effect.tapError(flush, (error) =>
    Effect.sync(() => {
      broken ??= error
    })
  )
  return { intact, flush: Effect.andThen(intact, orBreak) }
}

export const layer = (options: SqliteOptions): Layer.Layer<SqliteDatabase, SqlError> =>
  Layer.effect(
    SqliteDatabase,
    Effect.gen(function* () {
      if (options.filename !== ":memory:")
        yield* Effect.mapError(makePrivate(options.filename), (cause) => toSqlError("make the database", cause))
      const database = yield* Effect.acquireRelease(
        Effect.try({
          try: () => {
            const opened = new DatabaseSync(options.filename, { timeout: 5000 })
            opened.exec(settings)
            return opened
          },
          catch: (cause) => toSqlError("open the database", cause)
        }),
        (opened) => Effect.sync(() => opened.close())
      )
      let damage: string | undefined
      const statements = makeStatements(database, (message) => {
        damage ??= message
      })
      const turn = yield* Semaphore.make(1)
      const { flush, intact } = failingForGood(yield* makeFlush(options.filename, turn))
      return SqliteDatabase.of({
        turn,
        flush,
        statements,
        damage: () => damage,
        use: (operation, body) =>
          turn.withPermit(
            Effect.andThen(
              intact,
              Effect.try({ try: () => body(statements), catch: (cause) => toSqlError(operation, cause) })
            )
          )
      })
    })
  )
