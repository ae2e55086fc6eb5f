import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { make } from "../../../src/layers/sqlite/database/GroupCommit.ts"
import { layer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { SqliteDatabase, type Statements } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"

const owner = {}

/** Inserts the number of operations of its transaction before the commit. */
const counting = (value: number, steps: Array<string>) => {
  let inTransaction = 0
  return (db: Statements) => {
    db.work.once(owner, () => {
      inTransaction = 0
      steps.push("first")
      return () => {
        steps.push("last")
        db.run("INSERT INTO numbers VALUES (?)", inTransaction)
      }
    })
    inTransaction++
    if (value < 0) throw new Error("a bad operation")
    return Exit.succeed(value)
  }
}

const setUp = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  yield* database.use("prepare", (db) => db.exec("CREATE TABLE numbers (value INTEGER)"))
  const numbers = database.use("read", (db) => db.all("SELECT value FROM numbers").map(({ value }) => value))
  return { write: yield* make(0), numbers }
})

describe("The work of a transaction", () => {
  it.effect("is begun by its first operation, and ended before the commit, once for all operations", () =>
    Effect.gen(function* () {
      const { numbers, write } = yield* setUp
      const steps: Array<string> = []
      yield* Effect.all(
        [1, 2, 3].map((value) => write("count", counting(value, steps))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(steps, ["first", "last"])
      assert.lengthOf(yield* numbers, 1)
      yield* write("count", counting(4, steps))
      assert.deepStrictEqual(steps, ["first", "last", "first", "last"])
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )

  it.effect("is not ended when the transaction is undone, and begins anew in the next one", () =>
    Effect.gen(function* () {
      const { numbers, write } = yield* setUp
      const steps: Array<string> = []
      const exits = yield* Effect.all(
        [1, -1].map((value) => Effect.exit(write("count", counting(value, steps)))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false])
      // Both together, and then each by itself.
      assert.deepStrictEqual(steps, ["first", "first", "last", "first"])
      assert.lengthOf(yield* numbers, 1)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )
})
