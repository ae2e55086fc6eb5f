/**
 * Shares transactions between concurrent writers, because what a durable write costs is the flush of its commit.
 *
 * Writers queue (bounded; beyond that they wait). One fiber takes all that wait, runs them in one transaction and commits; when
 * the disk has it, each writer gets its result. While a flush is under way the next batch gathers. When nothing is
 * under way, a single writer's transaction starts at once.
 *
 * - A write is durable when it succeeds, unless it is made `unflushed`: then it succeeds with its commit. It survives the death of
 *   the process, and a crash of the machine takes it back only together with everything after it. That is for what a restart
 *   finds out anew. Such writers do not wait for a flush under way.
 * - Pages come in a stream. Their writers are `patient`: when no others wait, they leave `patience` between one commit and the
 *   next. The first page after a pause is committed at once.
 * - A write has a size, as one of several pages takes longer than others. Writers that would make a transaction long are left for
 *   the next one, which follows at once.
 * - An operation that ends with a typed failure has written nothing (it checks before it writes), so it needs no undoing.
 * - If an operation throws, the batch is rolled back and its operations are repeated one by one, each in its own
 *   transaction: one bad operation fails alone. Operations must therefore be repeatable.
 * - If BEGIN or COMMIT fails, every writer of the batch fails with `StoreUnavailable`, and the next batch starts afresh. If a
 *   flush fails, so does everything after it.
 * - A writer that is interrupted before its batch starts is left out. A batch that has started runs whole.
 */
import {
  Cause,
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Latch,
  Layer,
  Metric,
  Queue,
  Result
} from "effect"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import * as Telemetry from "../../../observability/Telemetry.ts"
import { make as makeFlushes } from "./Flushes.ts"
import { SqliteDatabase, type Statements, toSqlError } from "./SqliteDatabase.ts"

const maxWaiting = 1024
const maxBatch = 128
/** The most that one transaction writes, since everything else waits for it: so many writes of size 1. */
const maxSize = 128

/** Runs inside the transaction. May run more than once, and is kept at most once. */
export type Operation<A, E> = (statements: Statements) => Exit.Exit<A, E>

export type Manner = "durable" | "patient" | "unflushed"

export type Write = <A, E>(
  name: string,
  operation: Operation<A, E>,
  manner?: Manner,
  /** Its duration, as a multiple of an ordinary write's. */
  size?: number,
  /** Called with its commit, before the flush, if the operation succeeds. Has to be quick, and not to throw. */
  committed?: (value: A) => void
) => Effect.Effect<A, E | StoreUnavailable>

interface Writer {
  readonly manner: Manner
  readonly size: number
  withdrawn: boolean
  /** To be called when the writer waits no longer. */
  readonly leave: () => void
  /** Returns the function that tells the writer its result, to be called after the commit. */
  readonly run: (statements: Statements) => () => void
  committed: () => void
  readonly fail: (cause: unknown) => void
}

/** A writer whose operation is committed, but not yet on the disk. */
interface Committed {
  readonly writer: Writer
  readonly tell: () => void
}

type Outcome =
  | { readonly _tag: "Committed"; readonly tell: ReadonlyArray<Committed> }
  | { readonly _tag: "OperationThrew"; readonly cause: unknown }
  | { readonly _tag: "TransactionFailed"; readonly cause: unknown }

/** Commits all of them or none. */
const transact = (statements: Statements, writers: ReadonlyArray<Writer>): Outcome => {
  const attempt = (body: () => Outcome) =>
    Result.getOrElse(Result.try(body), (cause): Outcome => ({ _tag: "TransactionFailed", cause }))
  const outcome = attempt(() => {
    statements.run("BEGIN IMMEDIATE")
    const ran = Result.try(() => writers.map((writer) => ({ writer, tell: writer.run(statements) })))
    if (Result.isFailure(ran)) return { _tag: "OperationThrew", cause: ran.failure }
    statements.run("COMMIT")
    return { _tag: "Committed", tell: ran.success }
  })
  // SQLite may have rolled back by itself. A rollback that fails now is tried again before the next batch.
  if (outcome._tag !== "Committed" && statements.inTransaction()) Result.try(() => statements.exec("ROLLBACK"))
  return outcome
}

/** How many of the batch, from its start, go into one transaction: at least one. */
const portionOf = (batch: ReadonlyArray<Writer>): number => {
  let size = 0
  const rest = batch.findIndex((writer, index) => (size += writer.size) > maxSize && index > 0)
  return rest < 0 ? batch.length : rest
}

/** The writers whose operations are committed now. The others fail at once, with the cause. */
const runBatch = (statements: Statements, batch: ReadonlyArray<Writer>): ReadonlyArray<Committed> => {
  const writers = batch.filter((writer) => !writer.withdrawn)
  if (writers.length === 0) return []
  const outcome = transact(statements, writers)
  if (outcome._tag === "Committed") return outcome.tell
  if (outcome._tag === "OperationThrew" && writers.length > 1) {
    return writers.flatMap((writer) => runBatch(statements, [writer]))
  }
  for (const writer of writers) writer.fail(outcome.cause)
  return []
}

/** A latch that is open as long as a writer that entered has not left. */
const countedLatch = () => {
  const latch = Latch.makeUnsafe(false)
  let inside = 0
  const enter = () => {
    let entered = true
    inside++
    latch.openUnsafe()
    return () => {
      if (entered && --inside === 0) latch.closeUnsafe()
      entered = false
    }
  }
  return { latch, enter }
}

/** Ends with its scope: what was queued by then is still committed and flushed, later writes fail. */
export const make = Effect.fnUntraced(function* (patience: Duration.Input) {
  const database = yield* SqliteDatabase
  const flushes = yield* makeFlushes(Effect.trackDuration(database.flush, Telemetry.storeFlushDuration))
  const queue = yield* Queue.bounded<Writer, Cause.Done>(maxWaiting)
  const patienceMillis = Duration.toMillis(patience)
  /** Closed while all writers that wait are patient. */
  const hurry = countedLatch()
  /** Closed while all writers that wait would have to wait for the next flush anyway. */
  const unflushed = countedLatch()
  let lastPages = Number.NEGATIVE_INFINITY

  const enter = (manner: Manner) => {
    const leaveHurry = manner === "patient" ? undefined : hurry.enter()
    const leaveUnflushed = manner === "unflushed" ? unflushed.enter() : undefined
    return () => {
      leaveHurry?.()
      leaveUnflushed?.()
    }
  }

  const rest = Effect.gen(function* () {
    if (!flushes.idle.isOpen() && !unflushed.latch.isOpen())
      yield* Effect.raceFirst(flushes.idle.await, unflushed.latch.await)
    // A clock that was set back must not prolong the wait.
    const millis = Math.min(patienceMillis, lastPages + patienceMillis - (yield* Clock.currentTimeMillis))
    if (millis > 0 && !hurry.latch.isOpen()) yield* Effect.raceFirst(Effect.sleep(millis), hurry.latch.await)
  })

  const takeBatch = Effect.gen(function* () {
    yield* Queue.peek(queue)
    if ((yield* Queue.size(queue)) < maxBatch) yield* rest
    const batch = yield* Queue.takeBetween(queue, 1, maxBatch)
    for (const { leave } of batch) leave()
    return batch
  })

  /** A failed operation has written nothing to flush, but its failure may depend on commits that were not flushed yet. */
  const tell = (committed: ReadonlyArray<Committed>) => {
    for (const { tell, writer } of committed) if (writer.manner === "unflushed") tell()
    const flushing = committed.filter(({ writer }) => writer.manner !== "unflushed")
    flushes.add(
      flushing.map(({ tell, writer }) => ({
        told: Exit.match({ onSuccess: tell, onFailure: (cause) => writer.fail(Cause.squash(cause)) })
      }))
    )
    for (const { writer } of flushing) writer.committed()
  }

  const commitPortion = (batch: ReadonlyArray<Writer>) =>
    database
      .use("write", (statements) => {
        if (statements.inTransaction()) statements.exec("ROLLBACK")
        return runBatch(statements, batch)
      })
      .pipe(
        Effect.trackDuration(Telemetry.storeCommitDuration),
        Effect.tap(Metric.update(Telemetry.storeCommitWrites, batch.length)),
        Effect.map(tell),
        Effect.catchCause((cause) => Effect.sync(() => batch.forEach((writer) => writer.fail(Cause.squash(cause))))),
        Effect.andThen(Clock.currentTimeMillis),
        Effect.map((now) => {
          // Only patient writers keep a pause, and only after a commit of patient writers.
          if (batch.some(({ manner }) => manner === "patient")) lastPages = now
        })
      )

  const commitBatch = Effect.fnUntraced(function* (batch: ReadonlyArray<Writer>) {
    for (let left = batch; left.length > 0; left = left.slice(portionOf(left))) {
      yield* commitPortion(left.slice(0, portionOf(left)))
      // Writers that just got their result come back with their next write; let them join the next batch.
      yield* Effect.yieldNow
    }
  })

  const committer = yield* takeBatch.pipe(Effect.flatMap(commitBatch), Effect.forever, Effect.ignore, Effect.forkScoped)
  yield* Effect.addFinalizer(() => {
    enter("unflushed")
    return Effect.andThen(Queue.end(queue), Fiber.await(committer))
  })

  const write: Write = <A, E>(
    name: string,
    operation: Operation<A, E>,
    manner: Manner = "durable",
    size = 1,
    committed?: (value: A) => void
  ) =>
    Effect.suspend(() => {
      const answer = Deferred.makeUnsafe<A, E | StoreUnavailable>()
      const unavailable = (cause: unknown) => new StoreUnavailable({ operation: name, cause: toSqlError(name, cause) })
      const writer: Writer = {
        manner,
        size,
        withdrawn: false,
        leave: enter(manner),
        committed: () => {},
        run: (statements) => {
          // The operation may run once more, with another result.
          writer.committed = () => {}
          const exit = operation(statements)
          if (committed !== undefined && Exit.isSuccess(exit)) writer.committed = () => committed(exit.value)
          return () => Deferred.doneUnsafe(answer, exit)
        },
        fail: (cause) => Deferred.doneUnsafe(answer, Exit.fail(unavailable(cause)))
      }
      return Queue.offer(queue, writer).pipe(
        Effect.flatMap((open) => (open ? Deferred.await(answer) : Effect.fail(unavailable("the store is closed")))),
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            writer.withdrawn = true
            writer.leave()
          })
        )
      )
    })

  return write
})

/** The one that all stores of a database share. */
export class GroupCommit extends Context.Service<GroupCommit, Write>()("sluice/layers/sqlite/database/GroupCommit") {
  static readonly layer = (patience: Duration.Input) => Layer.effect(GroupCommit, make(patience))
}
