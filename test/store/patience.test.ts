import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { make } from "../../src/layers/sqlite/GroupCommit.ts"
import { layer } from "../../src/layers/sqlite/SqliteClient.ts"
import { SqliteDatabase } from "../../src/layers/sqlite/SqliteDatabase.ts"

const insert = (value: number) => (db: { run: (sql: string, value: number) => number }) => {
  db.run("INSERT INTO numbers VALUES (?)", value)
  return Exit.succeed(value)
}

const setUp = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  yield* database.use("prepare", (db) => db.exec("CREATE TABLE numbers (value INTEGER)"))
  return yield* make("20 millis")
})

describe("patient writers", () => {
  it.effect("are committed at once after a pause, and then leave their patience between commits", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      assert.strictEqual(yield* write("insert", insert(1), "patient"), 1)
      const second = yield* Effect.forkChild(write("insert", insert(2), "patient"))
      yield* TestClock.adjust("19 millis")
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(second), 2)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )

  it.effect("do not keep anyone else waiting, and go along", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      yield* write("insert", insert(1), "patient")
      const patient = yield* Effect.forkChild(write("insert", insert(2), "patient"))
      yield* Effect.yieldNow
      assert.strictEqual(yield* write("insert", insert(3)), 3)
      assert.strictEqual(yield* Fiber.join(patient), 2)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )

  it.effect("are committed at once when only others were committed before", () =>
    Effect.gen(function* () {
      const write = yield* setUp
      yield* write("insert", insert(1))
      yield* write("insert", insert(2), "unflushed")
      assert.strictEqual(yield* write("insert", insert(3), "patient"), 3)
    }).pipe(Effect.provide(layer({ filename: ":memory:" })))
  )
})
