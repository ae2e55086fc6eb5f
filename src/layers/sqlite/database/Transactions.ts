/** Runs the operations of several writers in one transaction. */
import { type Exit, Result } from "effect"
import type { Statements } from "./SqliteDatabase.ts"

/** Runs inside the transaction. May run more than once, and is kept at most once. */
export type Operation<A, E> = (statements: Statements) => Exit.Exit<A, E>

export type Manner = "durable" | "batched" | "deferred"

export interface Writer {
  readonly manner: Manner
  readonly size: number
  withdrawn: boolean
  /** To be called when the writer waits no longer. */
  readonly leave: () => void
  /** Returns the function that tells the writer its result, to be called after the commit. */
  readonly run: (statements: Statements) => () => void
  readonly fail: (cause: unknown) => void
}

/** A writer whose operation is committed, but not yet on the disk. */
export interface Committed {
  readonly writer: Writer
  readonly tell: () => void
}

/** The most that one transaction writes, since everything else waits for it: so many writes of size 1. */
const maxSize = 128

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
    statements.work.begin()
    const ran = Result.try(() => writers.map((writer) => ({ writer, tell: writer.run(statements) })))
    if (Result.isFailure(ran)) return { _tag: "OperationThrew", cause: ran.failure }
    statements.work.end()
    statements.run("COMMIT")
    return { _tag: "Committed", tell: ran.success }
  })
  // SQLite may have rolled back by itself. A rollback that fails now is tried again before the next batch.
  if (outcome._tag !== "Committed" && statements.inTransaction()) Result.try(() => statements.exec("ROLLBACK"))
  return outcome
}

/** How many of the batch, from its start, go into one transaction: at least one. */
export const portionOf = (batch: ReadonlyArray<Writer>): number => {
  let size = 0
  const rest = batch.findIndex((writer, index) => (size += writer.size) > maxSize && index > 0)
  return rest < 0 ? batch.length : rest
}

/** The writers whose operations are committed now. The others fail at once, with the cause. */
export const runBatch = (statements: Statements, batch: ReadonlyArray<Writer>): ReadonlyArray<Committed> => {
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
