import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Fiber, Latch, Layer, Option } from "effect"
import { BlobReferences } from "../../../src/services/store/BlobReferences.ts"
import { TestClock } from "effect/testing"
import { GroupCommit, type Manner, make } from "../../../src/layers/sqlite/database/GroupCommit.ts"
import { layer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { layerNoDeps } from "../../../src/layers/sqlite/SqliteStore.ts"
import { accept, at, blobHash, claim, newDocument, plenty, runner } from "../../conformance/storeFixtures.ts"
import { failingForGood, SqliteDatabase, toSqlError } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import { storeOf } from "../../support/store.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"

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
  return { disk, ...failingForGood(flush) }
}

const setUp = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  const { disk, flush, intact } = makeDisk()
  yield* database.use("prepare", (db) => db.exec("CREATE TABLE numbers (value INTEGER)"))
  const write = yield* Effect.provideService(
    make(0),
    SqliteDatabase,
    SqliteDatabase.of({ ...database, flush, use: (...args) => Effect.andThen(intact, database.use(...args)) })
  )
  const insert = (value: number, manner?: Manner) =>
    write("insert", (db) => (db.run("INSERT INTO numbers VALUES (?)", value), Exit.succeed(value)), manner)
  const stored = database.use("count", (db) => db.all("SELECT value FROM numbers").map(({ value }) => value))
  return { disk, write, insert, stored }
})

/** A store of documents on such a disk. */
const setUpStore = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  const { disk, flush, intact } = makeDisk()
  const use: typeof database.use = (...args) => Effect.andThen(intact, database.use(...args))
  const held = Layer.succeed(SqliteDatabase, SqliteDatabase.of({ ...database, flush, use }))
  const built = yield* Layer.build(Layer.provide(layerNoDeps, Layer.provideMerge(GroupCommit.layer(0), held)))
  return { disk, references: Context.get(built, BlobReferences), store: storeOf(built) }
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
      assert.strictEqual(yield* insert(2, "deferred"), 2)
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
      yield* insert(4, "deferred")
      disk.through.openUnsafe()
      assert.strictEqual(yield* Fiber.join(first), 0)
      assert.deepStrictEqual(yield* Fiber.join(others), [1, 2, 3])
      assert.strictEqual(disk.begun, 2)
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )

  it.effect("do not hide a document that is committed, and its run counts only together with it", () =>
    Effect.gen(function* () {
      const { disk, store } = yield* setUpStore
      disk.through.closeUnsafe()
      const accepting = yield* Effect.forkChild(store.accept(newDocument(1), plenty))
      yield* begunFlushes(disk, 1)
      const { document, fence } = yield* Effect.provideService(claim(), DocumentQueue, store)
      assert.strictEqual(document.name, "1.pdf")
      const finishing = yield* Effect.forkChild(at(3_000, store.finish(fence, { status: "completed" })))
      yield* begunFlushes(disk, 1)
      yield* Effect.yieldNow
      assert.deepStrictEqual([accepting.pollUnsafe(), finishing.pollUnsafe()], [undefined, undefined])
      disk.through.openUnsafe()
      assert.strictEqual((yield* Fiber.join(accepting)).status, "queued")
      assert.strictEqual((yield* Fiber.join(finishing)).status, "completed")
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )

  it.effect("that fail leave neither a document nor what its run brought accepted", () =>
    Effect.gen(function* () {
      const { disk, store } = yield* setUpStore
      disk.through.closeUnsafe()
      disk.broken = true
      const accepting = yield* Effect.forkChild(Effect.flip(store.accept(newDocument(1), plenty)))
      yield* begunFlushes(disk, 1)
      const { fence } = yield* Effect.provideService(claim(), DocumentQueue, store)
      const finishing = yield* Effect.forkChild(Effect.flip(at(3_000, store.finish(fence, { status: "completed" }))))
      yield* store.stats()
      disk.through.openUnsafe()
      assert.strictEqual((yield* Fiber.join(accepting))._tag, "StoreUnavailable")
      assert.strictEqual((yield* Fiber.join(finishing))._tag, "StoreUnavailable")
      // Counters that were known while the disk was at work are not told any more, either.
      assert.strictEqual((yield* Effect.flip(store.stats()))._tag, "StoreUnavailable")
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )

  it.effect("fail for good once one has failed, since nobody knows what the disk has", () =>
    Effect.gen(function* () {
      const { disk, insert } = yield* setUp
      disk.broken = true
      assert.include((yield* Effect.flip(insert(1))).message, "insert")
      disk.broken = false
      assert.strictEqual((yield* Effect.flip(insert(2)))._tag, "StoreUnavailable")
      assert.strictEqual((yield* Effect.flip(insert(3, "deferred")))._tag, "StoreUnavailable")
      assert.strictEqual(disk.begun, 1)
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )

  it.effect("come before a callback is given out, and before the removal of a blob is claimed", () =>
    Effect.gen(function* () {
      const { disk, references, store } = yield* setUpStore
      yield* Effect.provideService(accept(1, { callback: "https://example.org/" }), DocumentQueue, store)
      const { fence } = yield* Effect.provideService(claim(), DocumentQueue, store)
      disk.through.closeUnsafe()
      const begun = disk.begun
      const finishing = yield* Effect.forkChild(at(3_000, store.finish(fence, { status: "completed" })))
      yield* begunFlushes(disk, begun + 1)
      yield* TestClock.setTime(4_000)
      const claims = { runner, limit: 10, perTenant: 10, lease: Duration.minutes(1) }
      const owed = yield* Effect.forkChild(store.claimCallbacks(claims))
      const unused = yield* Effect.forkChild(references.claimRemoval(blobHash(77)))
      yield* Effect.yieldNow
      assert.deepStrictEqual([owed.pollUnsafe(), unused.pollUnsafe()], [undefined, undefined])
      disk.through.openUnsafe()
      yield* Fiber.join(finishing)
      assert.strictEqual((yield* Fiber.join(owed)).length, 1)
      assert.isTrue(Option.isSome(yield* Fiber.join(unused)))
    }).pipe(Effect.provide(Layer.fresh(layer({ filename: ":memory:" }))))
  )
})
