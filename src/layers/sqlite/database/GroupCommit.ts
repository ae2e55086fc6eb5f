/**
 * Shares transactions between concurrent writers, because what a durable write costs is the flush of its commit.
 *
 * Writers queue (bounded; beyond that they wait). One fiber takes all that wait, runs them in one transaction and commits; when
 * the disk has it, each writer gets its result. While a flush is under way the next batch gathers. When nothing is
 * under way, a single writer's transaction starts at once.
 *
 * - A write is durable when it succeeds, unless it is `deferred`: then it succeeds with its commit. It survives the death of
 *   the process, and a crash of the machine takes it back only together with everything after it. That is for what a restart
 *   finds out anew. Such writers do not wait for a flush under way.
 * - Pages come in a stream. Their writers are `batched`: when no others wait, they leave an interval between one commit and the
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
import { Cause, Clock, Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Metric, Queue } from "effect"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import * as Telemetry from "../../../observability/Telemetry.ts"
import { type CommitDelay, makeCommitDelay } from "./CommitDelay.ts"
import { type Flushes, make as makeFlushes } from "./Flushes.ts"
import { SqliteDatabase, toSqlError } from "./SqliteDatabase.ts"
import { type Committed, type Manner, type Operation, portionOf, runBatch, type Writer } from "./Transactions.ts"

export type { Manner, Operation } from "./Transactions.ts"

const maxWaiting = 1024
const maxBatch = 128

export type Write = <A, E>(
  name: string,
  operation: Operation<A, E>,
  manner?: Manner,
  /** Its duration, as a multiple of an ordinary write's. */
  size?: number
) => Effect.Effect<A, E | StoreUnavailable>

type WriterQueue = Queue.Queue<Writer, Cause.Done>

const takeBatch = Effect.fnUntraced(function* (queue: WriterQueue, delay: CommitDelay) {
  yield* Queue.peek(queue)
  if ((yield* Queue.size(queue)) < maxBatch) yield* delay.wait
  const batch = yield* Queue.takeBetween(queue, 1, maxBatch)
  for (const { leave } of batch) leave()
  return batch
})

/**
 * Deferred writers get their results now, the others after the flush: a failed operation has written nothing to flush, but its
 * failure may depend on commits that were not flushed yet.
 */
const tellOrFlush = (flushes: Flushes, committed: ReadonlyArray<Committed>): void => {
  for (const { tell, writer } of committed) if (writer.manner === "deferred") tell()
  flushes.add(
    committed
      .filter(({ writer }) => writer.manner !== "deferred")
      .map(({ tell, writer }) => ({
        told: Exit.match({ onSuccess: tell, onFailure: (cause) => writer.fail(Cause.squash(cause)) })
      }))
  )
}

const commitPortion = (
  database: SqliteDatabase["Service"],
  flushes: Flushes,
  delay: CommitDelay,
  batch: ReadonlyArray<Writer>
) =>
  database
    .use("write", (statements) => {
      if (statements.inTransaction()) statements.exec("ROLLBACK")
      return runBatch(statements, batch)
    })
    .pipe(
      Effect.trackDuration(Telemetry.storeCommitDuration),
      Effect.tap(Metric.update(Telemetry.storeCommitWrites, batch.length)),
      Effect.map((committed) => tellOrFlush(flushes, committed)),
      Effect.catchCause((cause) => Effect.sync(() => batch.forEach((writer) => writer.fail(Cause.squash(cause))))),
      Effect.andThen(Clock.currentTimeMillis),
      Effect.map((now) => {
        // Only batched writers keep an interval, and only after a commit of batched writers.
        if (batch.some(({ manner }) => manner === "batched")) delay.committedBatched(now)
      })
    )

const makeWrite =
  (queue: WriterQueue, delay: CommitDelay): Write =>
  <A, E>(name: string, operation: Operation<A, E>, manner: Manner = "durable", size = 1) =>
    Effect.suspend(() => {
      const answer = Deferred.makeUnsafe<A, E | StoreUnavailable>()
      const unavailable = (cause: unknown) => new StoreUnavailable({ operation: name, cause: toSqlError(name, cause) })
      const writer: Writer = {
        manner,
        size,
        withdrawn: false,
        leave: delay.enter(manner),
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
            writer.leave()
          })
        )
      )
    })

/**
 * `interval` lies between two commits that only bring batched writes. Ends with its scope: what was queued by then is still
 * committed and flushed, later writes fail.
 */
export const make = Effect.fnUntraced(function* (interval: Duration.Input) {
  const database = yield* SqliteDatabase
  const flushes = yield* makeFlushes(Effect.trackDuration(database.flush, Telemetry.storeFlushDuration))
  const queue = yield* Queue.bounded<Writer, Cause.Done>(maxWaiting)
  const delay = makeCommitDelay(Duration.toMillis(interval), flushes)

  const commitBatch = Effect.fnUntraced(function* (batch: ReadonlyArray<Writer>) {
    for (let left = batch; left.length > 0; left = left.slice(portionOf(left))) {
      yield* commitPortion(database, flushes, delay, left.slice(0, portionOf(left)))
      // Writers that just got their result come back with their next write; let them join the next batch.
      yield* Effect.yieldNow
    }
  })

  const committer = yield* takeBatch(queue, delay).pipe(
    Effect.flatMap(commitBatch),
    Effect.forever,
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => {
    delay.enter("deferred")
    return Effect.andThen(Queue.end(queue), Fiber.await(committer))
  })
  return makeWrite(queue, delay)
})

/** The one that all stores of a database share. */
export class GroupCommit extends Context.Service<GroupCommit, Write>()("sluice/layers/sqlite/database/GroupCommit") {
  static readonly layer = (interval: Duration.Input) => Layer.effect(GroupCommit, make(interval))
}
