import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { shared, sharedBy } from "../../../src/layers/postgres/database/SharedQuery.ts"

/** A query whose answers are given one by one, and tells how often it was begun. */
const make = Effect.sync(() => {
  const begun: Array<Deferred.Deferred<number, string>> = []
  const query = Effect.suspend(() => {
    const answer = Deferred.makeUnsafe<number, string>()
    begun.push(answer)
    return Deferred.await(answer)
  })
  return {
    begun,
    ask: shared(query),
    answer: (index: number, value: number) =>
      Deferred.doneUnsafe(begun[index] ?? Deferred.makeUnsafe<number, string>(), Effect.succeed(value))
  }
})

const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

it.effect("callers that ask while a query is under way share the next one, which has begun after them", () =>
  Effect.gen(function* () {
    const { answer, ask, begun } = yield* make
    const first = yield* Effect.forkChild(ask)
    yield* settle
    const others = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(ask))
    yield* settle
    assert.strictEqual(begun.length, 1)
    answer(0, 10)
    assert.strictEqual(yield* Fiber.join(first), 10)
    yield* settle
    assert.strictEqual(begun.length, 2)
    answer(1, 20)
    assert.deepStrictEqual(yield* Effect.forEach(others, Fiber.join), [20, 20, 20])
    const later = yield* Effect.forkChild(ask)
    yield* settle
    answer(2, 30)
    assert.strictEqual(yield* Fiber.join(later), 30)
  })
)

it.effect("a caller that is interrupted takes nothing from the others, and a failure is told to all who share it", () =>
  Effect.gen(function* () {
    const { ask, begun } = yield* make
    const [one, other] = [yield* Effect.forkChild(ask), yield* Effect.forkChild(Effect.flip(ask))]
    yield* settle
    yield* Fiber.interrupt(one)
    Deferred.doneUnsafe(begun[0] ?? Deferred.makeUnsafe<number, string>(), Effect.fail("away"))
    assert.strictEqual(yield* Fiber.join(other), "away")
    assert.strictEqual(begun.length, 1)
  })
)

it.effect("callers share the queries of their own key only", () =>
  Effect.gen(function* () {
    const begun: Array<string> = []
    const gate = yield* Deferred.make<void>()
    const ask = sharedBy((key: string) =>
      Effect.andThen(
        Effect.sync(() => begun.push(key)),
        Effect.as(Deferred.await(gate), key)
      )
    )
    const callers = yield* Effect.forEach(["a", "b", "a", "a", "b"], (key) => Effect.forkChild(ask(key)))
    yield* settle
    yield* Deferred.succeed(gate, undefined)
    assert.deepStrictEqual(yield* Effect.forEach(callers, Fiber.join), ["a", "b", "a", "a", "b"])
    assert.isAtMost(begun.length, 4)
    yield* ask("a")
    assert.strictEqual(begun.at(-1), "a")
  })
)
