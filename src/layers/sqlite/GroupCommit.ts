/**
 * Shares transactions between concurrent writers, because what a durable write costs is the flush of its commit.
 *
 * Writers queue (bounded; beyond that they wait). One fiber takes all that wait, runs them in one transaction, commits,
 * and only then tells each writer what came of it. It never waits for company: when it is idle, a single writer's
 * transaction starts at once, and those who come meanwhile form the next batch.
 *
 * A flush costs as much for one page as for twenty, and pages come in a stream. So writers may be patient: when nobody else
 * waits, they leave `patience` between one commit and the next. The first page after a pause is committed at once.
 *
 * - An operation that ends with a typed failure has written nothing (it checks before it writes), so it needs no undoing.
 * - If an operation throws, the batch is rolled back and its operations are repeated one by one, each in its own
 *   transaction: one bad operation fails alone. Operations must therefore be repeatable.
 * - If BEGIN or COMMIT fails, every writer of the batch fails with `StoreUnavailable`, and the next batch starts afresh.
 * - A writer that is interrupted before its batch starts is left out. A batch that has started runs whole.
 */
import { Cause, Clock, Deferred, Duration, Effect, Exit, Fiber, Latch, Metric, Queue, Result } from "effect"
import { StoreUnavailable } from "../../services/DocumentStore.ts"
import * as Telemetry from "../../services/Telemetry.ts"
import { SqliteDatabase, type Statements, toSqlError } from "./SqliteDatabase.ts"

const maxWaiting = 1024
const maxBatch = 128

/** Runs inside the transaction. May run more than once, and is kept at most once. */
export type Operation<A, E> = (statements: Statements) => Exit.Exit<A, E>

export type Write = <A, E>(
  name: string,
  operation: Operation<A, E>,
  manner?: "patient"
) => Effect.Effect<A, E | StoreUnavailable>

interface Writer {
  withdrawn: boolean
  /** Takes back its hurry, if it has any. */
  readonly calm: () => void
  /** Returns what tells the writer, to be called after the commit. */
  readonly run: (statements: Statements) => () => void
  readonly fail: (cause: unknown) => void
}

type Outcome =
  | { readonly _tag: "Committed"; readonly tell: ReadonlyArray<() => void> }
  | { readonly _tag: "OperationThrew"; readonly cause: unknown }
  | { readonly _tag: "TransactionFailed"; readonly cause: unknown }

/** Commits all of them or none. */
const transact = (statements: Statements, writers: ReadonlyArray<Writer>): Outcome => {
  const attempt = (body: () => Outcome) =>
    Result.getOrElse(Result.try(body), (cause): Outcome => ({ _tag: "TransactionFailed", cause }))
  const outcome = attempt(() => {
    statements.exec("BEGIN IMMEDIATE")
    const ran = Result.try(() => writers.map((writer) => writer.run(statements)))
    if (Result.isFailure(ran)) return { _tag: "OperationThrew", cause: ran.failure }
    statements.exec("COMMIT")
    return { _tag: "Committed", tell: ran.success }
  })
  // SQLite may have rolled back by itself. If it will not now, it is tried again before the next batch.
  if (outcome._tag !== "Committed" && statements.inTransaction()) Result.try(() => statements.exec("ROLLBACK"))
  return outcome
}

const runBatch = (statements: Statements, batch: ReadonlyArray<Writer>): void => {
  const writers = batch.filter((writer) => !writer.withdrawn)
  if (writers.length === 0) return
  const outcome = transact(statements, writers)
  if (outcome._tag === "Committed") {
    for (const tell of outcome.tell) tell()
  } else if (outcome._tag === "OperationThrew" && writers.length > 1) {
    for (const writer of writers) runBatch(statements, [writer])
  } else {
    for (const writer of writers) writer.fail(outcome.cause)
  }
}

/** Ends with its scope: what was queued by then is still committed, later writes fail. */
export const make = Effect.fnUntraced(function* (patience: Duration.Input) {
  const database = yield* SqliteDatabase
  const queue = yield* Queue.bounded<Writer, Cause.Done>(maxWaiting)
  const patienceMillis = Duration.toMillis(patience)
  const hurry = Latch.makeUnsafe(false)
  let hurried = 0
  let lastCommit = Number.NEGATIVE_INFINITY

  const beginHurry = () => {
    let hurrying = true
    hurried++
    hurry.openUnsafe()
    return () => {
      if (hurrying && --hurried === 0) hurry.closeUnsafe()
      hurrying = false
    }
  }

  const takeBatch = Effect.gen(function* () {
    const first = yield* Queue.takeBetween(queue, 1, maxBatch)
    const rest = lastCommit + patienceMillis - (yield* Clock.currentTimeMillis)
    if (rest <= 0 || hurried > 0 || first.length === maxBatch) return first
    yield* Effect.raceFirst(Effect.sleep(rest), hurry.await)
    return [...first, ...(yield* Queue.takeBetween(queue, 0, maxBatch - first.length))]
  })

  const commitBatch = (batch: ReadonlyArray<Writer>) =>
    database
      .use("write", (statements) => {
        if (statements.inTransaction()) statements.exec("ROLLBACK")
        runBatch(statements, batch)
      })
      .pipe(
        Effect.trackDuration(Telemetry.storeCommitDuration),
        Effect.andThen(Metric.update(Telemetry.storeCommitWrites, batch.length)),
        Effect.catchCause((cause) => Effect.sync(() => batch.forEach((writer) => writer.fail(Cause.squash(cause))))),
        Effect.andThen(Clock.currentTimeMillis),
        Effect.map((now) => {
          lastCommit = now
          batch.forEach((writer) => writer.calm())
        })
      )

  const committer = yield* takeBatch.pipe(
    Effect.flatMap(commitBatch),
    // Those who were just told come back with their next write; let them join the next batch.
    Effect.andThen(Effect.yieldNow),
    Effect.forever,
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => {
    beginHurry()
    return Effect.andThen(Queue.end(queue), Fiber.await(committer))
  })

  const write: Write = <A, E>(name: string, operation: Operation<A, E>, manner?: "patient") =>
    Effect.suspend(() => {
      const calm = manner === "patient" ? () => {} : beginHurry()
      const answer = Deferred.makeUnsafe<A, E | StoreUnavailable>()
      const unavailable = (cause: unknown) => new StoreUnavailable({ operation: name, cause: toSqlError(name, cause) })
      const writer: Writer = {
        withdrawn: false,
        calm,
        run: (statements) => {
          const exit = operation(statements)
          return () => Deferred.doneUnsafe(answer, exit)
        },
        fail: (cause) => Deferred.doneUnsafe(answer, Exit.fail(unavailable(cause)))
      }
      return Queue.offer(queue, writer).pipe(
        Effect.flatMap((open) => (open ? Deferred.await(answer) : Effect.fail(unavailable("the store is closed")))),
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            writer.withdrawn = true
            calm()
          })
        )
      )
    })

  return write
})
