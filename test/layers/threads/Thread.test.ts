import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeThread } from "../../../src/layers/threads/Thread.ts"

const recording = makeThread({
  url: import.meta.url,
  name: "RecordingThread",
  workerData: undefined,
  heapMegabytes: 32
})

describe("A thread that answers calls", () => {
  it.live("answers them in their order, and is never sent one that was interrupted before its turn", () =>
    Effect.gen(function* () {
      const { call, pending } = yield* recording
      const fork = (name: string) => Effect.forkChild(call(name), { startImmediately: true })
      const first = yield* fork("a")
      const given = yield* fork("b")
      const last = yield* fork("c")
      assert.strictEqual(pending(), 3)
      yield* Fiber.interrupt(given)
      assert.strictEqual(pending(), 2)
      assert.deepStrictEqual(yield* Fiber.join(first), ["a"])
      assert.deepStrictEqual(yield* Fiber.join(last), ["a", "c"])
      assert.strictEqual(pending(), 0)
    })
  )

  it.live("fails what throws alone, and all that wait when it dies; then it starts anew", () =>
    Effect.gen(function* () {
      const { call } = yield* recording
      assert.strictEqual((yield* Effect.flip(call("fail"))).message, "it cannot be done")
      yield* call("a")
      const dying = yield* Effect.forkChild(Effect.flip(call("die")), { startImmediately: true })
      const waiting = yield* Effect.forkChild(Effect.flip(call("b")), { startImmediately: true })
      assert.strictEqual((yield* Fiber.join(dying))._tag, "ThreadFailed")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "ThreadFailed")
      assert.deepStrictEqual(yield* call("c"), ["c"])
    })
  )
})
