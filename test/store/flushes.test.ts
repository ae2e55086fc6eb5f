import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Layer } from "effect"
import { type Manner, make } from "../../src/layers/sqlite/GroupCommit.ts"
import { layer } from "../../src/layers/sqlite/SqliteClient.ts"
import { SqliteDatabase, toSqlError } from "../../src/layers/sqlite/SqliteDatabase.ts"

/** A disk whose flushes wait to be let through, and fail once it is broken. */
const makeDisk = () => {
  const through = Latch.makeUnsafe(true)
  const disk = { through, begun: 0, broken: false }
  const flush = Effect.suspend(() => {
    disk.begun++
    return Effect.andThen(
      through.await,
      Effect.suspend(() => (disk.broken ? Effect.fail(toSqlError("flush", new Error("EIO"))) : Effect.void))
    )
  })
  return { disk, flush }
}

const setUp = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  const { disk, flush } = makeDisk()
  yield* database.use("prepare", (db) => db.exec("CREATE TABLE numbers (value INTEGER)"))
  const write = yield* Effect.provideService(make(0), SqliteDatabase, SqliteDatabase.of({ ...database, flush }))
  const insert = (value: number, manner?: Manner) =>
    write("insert", (db) => (db.run("INSERT INTO numbers VALUES (?)", value), Exit.succeed(value)), manner)
  const stored = database.use("count", (db) => db.all("SELECT value FROM numbers").map(({ value }) => value))
  return { disk, insert, stored }
})

const begunFlushes = (disk: { readonly begun: number }, count: number) =>
  Effect.repeat(Effect.yieldNow, { until: () => disk.begun >= count })

describe("flushes of the store", () => {
  it.effect("come before a writer is told, but for those that do without", () =>
    Effect.gen(function* () {
      const { disk, insert, stored } = yield* setUp
      disk.through.closeUnsafe()
      const durable = yield* Effect.forkChild(insert(1))
      yield* begunFlushes(disk, 1)
      assert.strictEqual(yield* insert(2, "unflushed"), 2)
      assert.isUndefined(durable.pollUnsafe())
      assert.deepStrictEqual(yield* stored, [1, 2])
      disk.through.openUnsafe()
      assert.strictEqual(yield* Fiber.join(durable), 1)
      assert.strictEqual(disk.begun, 1)
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )

  it.effect("serve all who came while the one before was under way, and only those", () =>
    Effect.gen(function* () {
      const { disk, insert } = yield* setUp
      disk.through.closeUnsafe()
      const first = yield* Effect.forkChild(insert(0))
      yield* begunFlushes(disk, 1)
      const others = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3], (value) => insert(value), { concurrency: "unbounded" })
      )
      // Takes the others' operations along into its transaction, not into the flush under way.
      yield* Effect.yieldNow
      yield* insert(4, "unflushed")
      disk.through.openUnsafe()
      assert.strictEqual(yield* Fiber.join(first), 0)
      assert.deepStrictEqual(yield* Fiber.join(others), [1, 2, 3])
      assert.strictEqual(disk.begun, 2)
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )

  it.effect("fail for good once one has failed, since nobody knows what the disk has", () =>
    Effect.gen(function* () {
      const { disk, insert } = yield* setUp
      disk.broken = true
      assert.include((yield* Effect.flip(insert(1))).message, "insert")
      disk.broken = false
      assert.strictEqual((yield* Effect.flip(insert(2)))._tag, "StoreUnavailable")
      assert.strictEqual(disk.begun, 1)
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )
})
