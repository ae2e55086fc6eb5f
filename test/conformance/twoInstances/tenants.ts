import { assert } from "@effect/vitest"
import { Context, Effect, Option, type Redacted } from "effect"
import { TestClock } from "effect/testing"
import { ApiKeys } from "../../../src/services/apiKeys/ApiKeys.ts"
import { IdempotencyStore } from "../../../src/services/store/IdempotencyStore.ts"
import { acme, globex } from "../storeFixtures.ts"
import { type Instance, keyCache, registryOf, type Test, untilDone } from "./fixtures.ts"

const keysOf = (instance: Instance) => Context.get(instance, ApiKeys)
const holder = (instance: Instance, text: Redacted.Redacted) =>
  Effect.map(keysOf(instance).verify(text), (found) => Option.getOrUndefined(found)?.tenantId)
const answersOf = (instance: Instance) => Context.get(instance, IdempotencyStore)
const answer = (body: string) => ({ fingerprint: "f", bytes: 10, body, keptAt: 1_000 })

const apiKeys = (test: Test) => {
  test("know a key at once that the other has made", (one, other) =>
    Effect.gen(function* () {
      const { text } = yield* keysOf(one).create(acme, "a key")
      assert.strictEqual(yield* holder(other, text), acme)
      assert.lengthOf(yield* keysOf(other).list(acme), 1)
    }))

  test("refuse a key that the other has revoked, after a while, and end work that goes on under it", (one, other) =>
    Effect.gen(function* () {
      const { key, text } = yield* keysOf(one).create(acme, "a key")
      const verified = Option.getOrThrow(yield* keysOf(other).verify(text))
      const working = yield* Effect.forkChild(verified.revoked, { startImmediately: true })
      yield* keysOf(one).revoke(acme, key.id)
      assert.isUndefined(yield* holder(one, text))
      yield* TestClock.adjust(keyCache)
      assert.isUndefined(yield* holder(other, text))
      yield* untilDone(working, keyCache)
    }))
}

const limits = (test: Test) => {
  test("see changes of limits by the other when they are refreshed", (one, other) =>
    Effect.gen(function* () {
      yield* registryOf(one).update(acme, { documents: 1, weight: 3 })
      assert.strictEqual((yield* registryOf(one).limits(acme)).documents, 1)
      assert.deepStrictEqual(yield* registryOf(other).refresh, [acme])
      assert.deepInclude(yield* registryOf(other).limits(acme), { documents: 1, weight: 3 })
      assert.deepStrictEqual(yield* registryOf(other).refresh, [])
      assert.deepStrictEqual(yield* registryOf(one).refresh, [])
      yield* registryOf(one).update(acme, { documents: null, weight: null })
      assert.deepStrictEqual(yield* registryOf(other).refresh, [acme])
      assert.deepInclude(yield* registryOf(other).limits(acme), { documents: 2, weight: 1 })
    }))

  test("change limits on top of a change that they have not seen", (one, other) =>
    Effect.gen(function* () {
      yield* registryOf(one).update(acme, { documents: 1 })
      assert.deepInclude(yield* registryOf(other).update(acme, { weight: 4 }), { documents: 1, weight: 4 })
      yield* registryOf(one).update(globex, { weight: 2 })
      assert.deepStrictEqual(yield* registryOf(one).refresh, [acme])
      assert.deepStrictEqual(yield* registryOf(other).refresh, [globex])
      for (const instance of [one, other]) {
        assert.deepInclude(yield* registryOf(instance).limits(acme), { documents: 1, weight: 4 })
        assert.deepInclude(yield* registryOf(instance).limits(globex), { weight: 2 })
      }
    }))
}

const idempotency = (test: Test) => {
  test("give a key of a request to one of them, and its answer to the other", (one, other) =>
    Effect.gen(function* () {
      const both = yield* Effect.all(
        [one, other].map((instance) => answersOf(instance).reserve(acme, "key", "30 seconds")),
        { concurrency: 2 }
      )
      const reserved = both.flatMap((reservation) => (reservation._tag === "Reserved" ? [reservation] : []))
      assert.lengthOf(reserved, 1)
      const [lease] = reserved.map((reservation) => reservation.lease)
      if (lease === undefined) return yield* Effect.die("no key was given")
      assert.isTrue(yield* answersOf(one).keep(lease, answer("done")))
      const again = yield* answersOf(other).reserve(acme, "key", "30 seconds")
      assert.deepStrictEqual(again._tag === "Reserved" && again.answer, Option.some(answer("done")))
      assert.strictEqual((yield* answersOf(one).reserve(globex, "key", "30 seconds"))._tag, "Reserved")
    }))

  test("free a key when its lease runs out, unless it is renewed", (one, other) =>
    Effect.gen(function* () {
      const first = yield* answersOf(one).reserve(acme, "key", "30 seconds")
      if (first._tag === "InUse") return yield* Effect.die("the key is in use")
      yield* TestClock.adjust("20 seconds")
      yield* answersOf(one).renew([first.lease], "30 seconds")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* answersOf(other).reserve(acme, "key", "30 seconds"))._tag, "InUse")
      yield* TestClock.adjust("20 seconds")
      const second = yield* answersOf(other).reserve(acme, "key", "30 seconds")
      if (second._tag === "InUse") return yield* Effect.die("the key is in use")
      assert.isFalse(yield* answersOf(one).keep(first.lease, answer("too late")))
      yield* answersOf(one).renew([first.lease], "1 hour")
      yield* answersOf(one).release(first.lease)
      assert.isTrue(yield* answersOf(other).keep(second.lease, answer("in time")))
      assert.deepStrictEqual(yield* answersOf(one).find(acme, "key"), Option.some(answer("in time")))
    }))

  test("forget old answers in portions, and no key in use", (one, other) =>
    Effect.gen(function* () {
      for (const [index, key] of ["a", "b", "c"].entries()) {
        const reserved = yield* answersOf(one).reserve(acme, key, "30 seconds")
        if (reserved._tag === "Reserved") yield* answersOf(one).keep(reserved.lease, { ...answer(key), keptAt: index })
      }
      yield* answersOf(one).reserve(acme, "d", "30 seconds")
      assert.strictEqual(yield* answersOf(other).forget(2, 1), 1)
      assert.isTrue(Option.isNone(yield* answersOf(one).find(acme, "a")))
      assert.strictEqual(yield* answersOf(other).forget(2, 9), 1)
      assert.strictEqual(yield* answersOf(other).forget(2, 9), 0)
      assert.isTrue(Option.isSome(yield* answersOf(one).find(acme, "c")))
      assert.strictEqual((yield* answersOf(other).reserve(acme, "d", "30 seconds"))._tag, "InUse")
    }))
}

export const tenants = (test: Test) => {
  apiKeys(test)
  limits(test)
  idempotency(test)
}
