// What the store no longer has leaves the index: by a request, by the retention, and after a crash.
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { DocumentId } from "../../../src/domain/Ids.ts"
import { SearchIndex, type SearchIndexShape } from "../../../src/services/search/SearchIndex.ts"
import * as SearchIndexMemory from "../../../src/services/search/SearchIndexMemory.ts"
import { chunk, documentId } from "../../conformance/searchIndex.ts"
import { acme, startEngine } from "../../support/engine.ts"

const put = (index: SearchIndexShape, document: DocumentId) =>
  index.replace({ tenant: acme, document, version: "1" }, () => Stream.make([{ chunk: chunk(0, "word") }]))

/** An engine over an index that has the chunks of one document that ended. */
const indexed = Effect.gen(function* () {
  const index = yield* SearchIndex
  const engine = yield* startEngine({ limits: { retention: Duration.hours(1) } })
  const { id } = yield* engine.submit("a")
  yield* engine.awaitEnd(id)
  yield* put(index, id)
  return { index, id, ...engine }
})

const test = <E>(title: string, body: Effect.Effect<void, E, Scope.Scope>) =>
  it.effect(title, () => Effect.provide(body, SearchIndexMemory.layer))

describe("A document that is removed", () => {
  test(
    "by a request is in the index no more",
    Effect.gen(function* () {
      const { id, index, ingestion } = yield* indexed
      yield* ingestion.remove(acme, id)
      assert.deepStrictEqual(yield* index.figures(), { documents: 0, chunks: 0, vectors: 0 })
    })
  )

  test(
    "by its retention is in the index no more",
    Effect.gen(function* () {
      const { index } = yield* indexed
      yield* TestClock.adjust("58 minutes")
      assert.strictEqual((yield* index.figures()).documents, 1)
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual((yield* index.figures()).documents, 0)
    })
  )

  test(
    "while the index was not told leaves it with the next sweep",
    Effect.gen(function* () {
      const index = yield* SearchIndex
      for (let n = 1; n <= 250; n++) yield* put(index, documentId(n))
      const { id } = yield* indexed
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(yield* index.documents(undefined, 10), [{ tenant: acme, document: id }])
    })
  )
})
