import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { acme, letPass, makeWorld, words } from "../../support/engine.ts"

describe("Two engines over one store", () => {
  it.effect("keep the bytes that one is about to accept while the other removes the last document with them", () =>
    Effect.gen(function* () {
      const commit = yield* Deferred.make<void>()
      const stored = yield* Deferred.make<void>()
      let held = false
      const world = yield* makeWorld({
        store: (store) => ({
          accept: (document, ...rest) =>
            Effect.suspend(() =>
              held && document.name === "again.pdf"
                ? Deferred.succeed(stored, undefined).pipe(
                    Effect.andThen(Deferred.await(commit)),
                    Effect.andThen(store.accept(document, ...rest))
                  )
                : store.accept(document, ...rest)
            )
        })
      })
      const one = yield* world.start
      const other = yield* world.start
      const first = yield* words(other.ingestion).submit("same")
      yield* words(other.ingestion).awaitEnd(first.id)
      yield* TestClock.adjust("1 second")
      held = true
      const submission = yield* Effect.forkChild(
        words(one.ingestion).submit("same", acme, { name: "again.pdf", force: true })
      )
      yield* Deferred.await(stored)
      yield* TestClock.adjust("1 second")
      yield* letPass(yield* Effect.forkChild(other.ingestion.remove(acme, first.id)))
      yield* Deferred.succeed(commit, undefined)
      const { id } = yield* letPass(submission)
      const { failure, status } = yield* words(one.ingestion).awaitEnd(id)
      assert.deepStrictEqual([status, failure], ["completed", undefined])
    })
  )
})
