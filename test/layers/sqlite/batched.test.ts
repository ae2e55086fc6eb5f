import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { SQLInputValue } from "node:sqlite"
import { make } from "../../../src/layers/sqlite/database/GroupCommit.ts"
import { layer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { SqliteDatabase, type Statements } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"

const insert = (value: number) => (db: { run: (sql: string, value: number) => number }) => {
  db.run("INSERT INTO numbers VALUES (?)", value)
  return Exit.succeed(value)
}

const setUp = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  yield* database.use("prepare", (db) => db.exec("CREATE TABLE numbers (value INTEGER)"))
  return yield* make("20 millis")
})

describe("batched writers", () => {
  it.effect("are committed at once after a pause, and then leave an interval between commits", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      assert.strictEqual(yield* write("insert", insert(1), "batched"), 1)
      const second = yield* Effect.forkChild(write("insert", insert(2), "batched"))
      yield* TestClock.adjust("19 millis")
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(second), 2)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )

  it.effect("do not keep anyone else waiting, and go along", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      yield* write("insert", insert(1), "batched")
      const batched = yield* Effect.forkChild(write("insert", insert(2), "batched"))
      yield* Effect.yieldNow
      assert.strictEqual(yield* write("insert", insert(3)), 3)
      assert.strictEqual(yield* Fiber.join(batched), 2)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )

  it.effect("share a transaction only as far as it stays short", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      const database = yield* SqliteDatabase
      yield* write("insert", insert(0), "batched")
      const sizes = [100, 20, 9, 1, 500, 1, 1]
      const together: Array<number> = []
      let begun = 0
      const counted = (value: number) => (db: Statements) => {
        together.push(begun)
        return insert(value)(db)
      }
      const { run } = database.statements
      Object.assign(database.statements, {
        run: (sql: string, ...values: ReadonlyArray<SQLInputValue>) => {
          if (sql.startsWith("BEGIN")) begun++
          return run(sql, ...values)
        }
      })
      yield* Effect.forEach(sizes, (size, index) => write("insert", counted(index), "batched", size), {
        concurrency: "unbounded",
        discard: true
      }).pipe(
        Effect.forkChild,
        Effect.tap(() => TestClock.adjust("20 millis")),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(together, [1, 1, 2, 2, 3, 4, 4])
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )

  it.effect("are committed at once when only others were committed before", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      yield* write("insert", insert(1))
      yield* write("insert", insert(2), "deferred")
      assert.strictEqual(yield* write("insert", insert(3), "batched"), 3)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )
})
