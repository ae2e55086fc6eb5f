import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import { backgroundLoop, type LoopOptions } from "../../../src/actors/upkeep/BackgroundLoop.ts"

/** A loop of passes that end as they are told to, in turn, and then succeed; with what it did and logged. */
const start = Effect.fnUntraced(function* (
  ends: ReadonlyArray<Effect.Effect<unknown, Error>>,
  options: Partial<LoopOptions<Error, never>> = {}
) {
  let passes = 0
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push(`${logLevel} ${String(Array.isArray(message) ? message[0] : message)}`)
  })
  const scope = yield* Scope.make()
  const loop = yield* backgroundLoop<Error, never>({
    name: "the loop",
    pass: Effect.suspend(() => ends[passes++] ?? Effect.void),
    rest: Effect.sleep("1 second"),
    ...options
  }).pipe(
    Scope.provide(scope),
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, "Trace")
  )
  const ready = yield* Effect.forkChild(loop.ready)
  yield* TestClock.adjust(0)
  return {
    lines,
    passes: () => passes,
    isReady: () => ready.pollUnsafe() !== undefined,
    stop: Scope.close(scope, Exit.void),
    ready
  }
})

const failing = Effect.fail(new Error("the store is away"))

describe("a background loop", () => {
  it.effect("begins at once, rests between its passes, and tells when one has succeeded", () =>
    Effect.gen(function* () {
      const loop = yield* start([])
      assert.strictEqual(loop.passes(), 1)
      assert.isTrue(loop.isReady())
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(loop.passes(), 1)
      yield* TestClock.adjust("2001 millis")
      assert.strictEqual(loop.passes(), 4)
      assert.deepStrictEqual(loop.lines, [])
      yield* loop.stop
    })
  )

  it.effect("may begin with a rest", () =>
    Effect.gen(function* () {
      const loop = yield* start([], { begins: "after a rest" })
      assert.strictEqual(loop.passes(), 0)
      assert.isFalse(loop.isReady())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(loop.passes(), 1)
      yield* loop.stop
    })
  )

  it.effect("survives failures, logs the first in a row and how many there were, and is ready after them", () =>
    Effect.gen(function* () {
      const loop = yield* start([failing, failing, failing])
      assert.isFalse(loop.isReady())
      yield* TestClock.adjust("3 seconds")
      assert.isTrue(loop.isReady())
      assert.deepStrictEqual(loop.lines, [
        "Warn the loop failed: the store is away",
        "Debug the loop failed: the store is away",
        "Debug the loop failed: the store is away",
        "Info the loop works again"
      ])
      yield* loop.stop
    })
  )

  it.effect("survives defects and interruptions from inside, and rests longer after them if told to", () =>
    Effect.gen(function* () {
      const inner = Effect.flatMap(Effect.forkChild(Effect.interrupt), Fiber.join)
      const loop = yield* start([Effect.die(new Error("a defect")), inner], {
        restAfterFailure: Effect.sleep("4 seconds")
      })
      assert.deepStrictEqual(loop.lines, ["Error the loop failed: a defect"])
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(loop.passes(), 1)
      yield* TestClock.adjust("5001 millis")
      assert.strictEqual(loop.passes(), 3)
      assert.isTrue(loop.isReady())
      yield* loop.stop
    })
  )

  it.effect("stops with its scope, in the middle of a pass as well", () =>
    Effect.gen(function* () {
      let interrupted = false
      const loop = yield* start([
        Effect.never.pipe(
          Effect.onInterrupt(() =>
            Effect.sync(() => {
              interrupted = true
            })
          )
        )
      ])
      yield* loop.stop
      assert.isTrue(interrupted)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(loop.passes(), 1)
    })
  )
})
