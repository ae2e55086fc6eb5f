import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Latch, Layer, Logger, Queue, Scope, Semaphore } from "effect"
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs"
import { join } from "node:path"
import { CheckpointFailed, type Checkpointed, inThread, make } from "../../../src/layers/sqlite/database/Checkpoints.ts"
import { layer, SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import { temporaryFolder } from "../../support/service.ts"

const mebibyte = 1024 * 1024

/** Checkpoints that answer what they are told to, and what was logged of them. */
const setUp = Effect.gen(function* () {
  const turn = yield* Semaphore.make(1)
  const begun = yield* Queue.unbounded<"begun">()
  const answers = yield* Queue.unbounded<Checkpointed, CheckpointFailed>()
  const logged = yield* Queue.unbounded<string>()
  const logger = Logger.make(({ message }) => Queue.offerUnsafe(logged, String(message)))
  const checkpoint = Effect.andThen(Queue.offer(begun, "begun"), Queue.take(answers))
  const checkpoints = yield* Effect.provide(make(checkpoint, turn), Logger.layer([logger]))
  return { turn, begun, answers, logged, ...checkpoints }
})

const finished: Checkpointed = { pages: 10, copied: 10 }

describe("checkpoints of the log", () => {
  it.effect("are due after many flushes, or when the log's file has grown", () =>
    Effect.gen(function* () {
      const { answers, begun, flushed } = yield* setUp
      for (let flush = 1; flush < 64; flush++) flushed(mebibyte)
      yield* Effect.yieldNow
      assert.strictEqual(yield* Queue.size(begun), 0)
      flushed(mebibyte)
      yield* Queue.take(begun)
      yield* Queue.offer(answers, finished)
      yield* Effect.yieldNow
      flushed(4 * mebibyte)
      yield* Effect.yieldNow
      assert.strictEqual(yield* Queue.size(begun), 0)
      flushed(5 * mebibyte)
      yield* Queue.take(begun)
    })
  )

  it.effect("hold the connection's turn only for the rest of a long log", () =>
    Effect.gen(function* () {
      const { answers, begun, flushed, turn } = yield* setUp
      const isFree = turn
        .withPermitsIfAvailable(1)(Effect.void)
        .pipe(Effect.map((got) => got._tag === "Some"))
      flushed(8 * mebibyte)
      yield* Queue.take(begun)
      assert.isTrue(yield* isFree)
      yield* Queue.offer(answers, { pages: 2_048, copied: 2_048 })
      yield* Queue.take(begun)
      assert.isFalse(yield* isFree)
      yield* Queue.offer(answers, { pages: 2_060, copied: 2_060 })
      yield* turn.withPermit(Effect.void)
      assert.strictEqual(yield* Queue.size(begun), 0)
    })
  )

  it.effect("are tried again after one that failed, and say so", () =>
    Effect.gen(function* () {
      const failing = yield* Latch.make(true)
      const begun = yield* Queue.unbounded<"begun">()
      const logged = yield* Queue.unbounded<string>()
      const checkpoint = Effect.suspend(() =>
        Effect.andThen(
          Queue.offer(begun, "begun"),
          failing.isOpen() ? Effect.fail(new CheckpointFailed({ detail: "disk I/O error" })) : Effect.succeed(finished)
        )
      )
      const { flushed } = yield* make(checkpoint, yield* Semaphore.make(1)).pipe(
        Effect.provide(Logger.layer([Logger.make(({ message }) => Queue.offerUnsafe(logged, String(message)))]))
      )
      flushed(4 * mebibyte)
      yield* Queue.take(begun)
      assert.include(yield* Queue.take(logged), "disk I/O error")
      failing.closeUnsafe()
      flushed(8 * mebibyte)
      yield* Queue.take(begun)
      assert.strictEqual(yield* Queue.size(logged), 0)
    })
  )

  it.effect("tell when another process holds the log back", () =>
    Effect.gen(function* () {
      const { answers, begun, flushed, logged } = yield* setUp
      flushed(80 * mebibyte)
      yield* Queue.offerAll(answers, [
        { pages: 20_000, copied: 3 },
        { pages: 20_000, copied: 3 }
      ])
      yield* Queue.take(begun)
      yield* Queue.take(begun)
      assert.include(yield* Queue.take(logged), "another process reads")
    })
  )

  it.live("fail when the thread cannot open the database, and the next one starts another", () =>
    Effect.gen(function* () {
      const checkpoint = yield* inThread(join(yield* temporaryFolder, "missing", "file.db"))
      assert.include((yield* Effect.flip(checkpoint)).message, "unable to open")
      assert.include((yield* Effect.flip(checkpoint)).message, "unable to open")
    })
  )
})

/** How often the log has begun anew. */
const timesBegun = (log: string) => {
  const header = Buffer.alloc(32)
  const descriptor = openSync(log, "r")
  readSync(descriptor, header, 0, header.length, 0)
  closeSync(descriptor)
  return header.readUInt32BE(12)
}

describe("the log of a database", () => {
  it.live("begins anew while commits go on, and is gone with what it held in the database at the end", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "numbers.db")
      const log = `${filename}-wal`
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer({ filename }), scope)
      let written = 0
      yield* Effect.gen(function* () {
        const { flush, use } = yield* SqliteDatabase
        yield* use("prepare", (db) => db.exec("CREATE TABLE numbers (number INTEGER PRIMARY KEY, filling TEXT)"))
        yield* flush
        const first = timesBegun(log)
        const write = Effect.andThen(
          use("write", (db) => db.run("INSERT INTO numbers VALUES (?, ?)", ++written, "-".repeat(100_000))),
          flush
        )
        yield* Effect.repeat(write, { until: () => timesBegun(log) >= first + 3 })
      }).pipe(Effect.provideContext(context))
      const size = statSync(log).size
      assert.isAbove(size, 0)
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(existsSync(log))
      const count = yield* SqliteDatabase.use(({ use }) =>
        use("count", (db) => db.get("SELECT count(*) AS count, max(number) AS last FROM numbers"))
      ).pipe(Effect.provide(layer({ filename })))
      assert.deepStrictEqual({ ...count }, { count: written, last: written })
    })
  )

  it.live("is not brought into the database by a commit of its own connection", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "numbers.db")
      yield* Effect.gen(function* () {
        const { flush, use } = yield* SqliteDatabase
        yield* use("prepare", (db) => db.exec("CREATE TABLE numbers (filling TEXT)"))
        yield* flush
        const before = statSync(filename).size
        const write = use("write", (db) => db.run("INSERT INTO numbers VALUES (?)", "-".repeat(100_000)))
        yield* Effect.replicateEffect(write, 60)
        assert.strictEqual(statSync(filename).size, before)
      }).pipe(Effect.provide(layer({ filename })))
    })
  )
})
