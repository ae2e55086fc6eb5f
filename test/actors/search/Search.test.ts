import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as SearchLive from "../../../src/actors/search/SearchLive.ts"
import { Search, type SearchSettings } from "../../../src/actors/search/SearchProtocol.ts"
import { Embedder, type EmbedderShape, NotEmbedded } from "../../../src/services/search/Embedder.ts"
import { SearchIndex, type SearchIndexShape } from "../../../src/services/search/SearchIndex.ts"
import * as SearchIndexMemory from "../../../src/services/search/SearchIndexMemory.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { accept, acme, documentId } from "../../conformance/storeFixtures.ts"
import { chunk, vectorOf } from "../../conformance/searchIndex.ts"
import { downstreamsLayer, tenant } from "../../support/downstreams.ts"

const settings: SearchSettings = {
  places: 2,
  longestWait: Duration.millis(500),
  longest: Duration.seconds(5)
}

const embedder = (embed: EmbedderShape["embed"]): EmbedderShape => ({
  model: "m",
  batch: { texts: 8, tokens: 1_000 },
  embed
})

interface World {
  readonly embed?: EmbedderShape["embed"]
  readonly index?: (index: SearchIndexShape) => Partial<SearchIndexShape>
}

const world = ({ embed, index }: World = {}) => {
  const indexes = Layer.effect(
    SearchIndex,
    Effect.map(SearchIndex, (real) => ({ ...real, ...index?.(real) }))
  ).pipe(Layer.provide(SearchIndexMemory.layer))
  return SearchLive.layer(settings).pipe(
    Layer.provideMerge(indexes),
    Layer.provideMerge(StoreMemory.layerMemory),
    Layer.provide(downstreamsLayer({})),
    Layer.provide(embed === undefined ? Layer.empty : Layer.succeed(Embedder, embedder(embed)))
  )
}

/** The first document of acme, in the store and in the index, with vectors. */
const put = Effect.gen(function* () {
  yield* accept(1)
  const index = yield* SearchIndex
  const entries = [
    { chunk: chunk(0, "Sales <rose> & fell"), vector: vectorOf(0, 1) },
    { chunk: chunk(1, "Turnover", [2, 3]), vector: vectorOf(1) }
  ]
  yield* index.replace({ tenant: acme, document: documentId(1), version: "1", model: "m" }, () => Stream.make(entries))
})

describe("a search", () => {
  it.effect("answers with the document, the page, boxes and an escaped snippet", () =>
    Effect.gen(function* () {
      yield* put
      const { search } = yield* Search
      const answer = yield* search(acme, { query: "SALES" })
      assert.deepStrictEqual([answer.mode, answer.degraded], ["keyword", []])
      const [hit, ...more] = answer.hits
      assert.deepStrictEqual(more, [])
      assert.strictEqual(hit?.document.id, documentId(1))
      assert.strictEqual(hit?.page, 1)
      assert.deepStrictEqual(hit?.boxes, [{ x: 1, y: 2, width: 3, height: 4 }])
      assert.strictEqual(hit?.snippet, "<mark>Sales</mark> &lt;rose&gt; &amp; fell")
      assert.deepStrictEqual((yield* search(tenant("other"), { query: "sales" })).hits, [])
    }).pipe(Effect.provide(world()))
  )

  it.effect("finds by meaning, unless only words are wanted", () =>
    Effect.gen(function* () {
      yield* put
      const { search } = yield* Search
      const answer = yield* search(acme, { query: "revenue", limit: 1 })
      assert.deepStrictEqual([answer.mode, answer.degraded], ["hybrid", []])
      assert.strictEqual(answer.hits[0]?.chunk.text, "Turnover")
      assert.deepStrictEqual((yield* search(acme, { query: "revenue", mode: "keyword" })).hits, [])
    }).pipe(Effect.provide(world({ embed: () => Effect.succeed([vectorOf(1)]) })))
  )

  it.effect("goes by words when the model fails, and says so", () =>
    Effect.gen(function* () {
      yield* put
      const { search } = yield* Search
      const answer = yield* search(acme, { query: "sales" })
      assert.strictEqual(answer.mode, "keyword")
      assert.strictEqual(answer.hits.length, 1)
      assert.deepStrictEqual(answer.degraded, [
        { part: "vector", reason: "NOT_EMBEDDED", detail: "the texts were not embedded: broken" }
      ])
    }).pipe(Effect.provide(world({ embed: () => new NotEmbedded({ detail: "broken" }) })))
  )

  it.effect("goes by words when the model is slow, within the caller's deadline", () =>
    Effect.gen(function* () {
      yield* put
      const { search } = yield* Search
      const searching = yield* Effect.forkChild(search(acme, { query: "sales" }, Duration.millis(300)))
      yield* TestClock.adjust("180 millis")
      const answer = yield* Fiber.join(searching)
      assert.strictEqual(answer.hits.length, 1)
      assert.strictEqual(answer.degraded[0]?.reason, "TIMEOUT")
    }).pipe(Effect.provide(world({ embed: () => Effect.never })))
  )

  it.effect("is given up at the deadline", () =>
    Effect.gen(function* () {
      const { search } = yield* Search
      const searching = yield* Effect.forkChild(Effect.flip(search(acme, { query: "sales" }, Duration.millis(300))))
      yield* TestClock.adjust("300 millis")
      assert.strictEqual((yield* Fiber.join(searching))._tag, "SearchTooLate")
    }).pipe(Effect.provide(world({ index: () => ({ search: () => Effect.never }) })))
  )

  it.effect("leaves out what was removed, and removes it from the index", () =>
    Effect.gen(function* () {
      const index = yield* SearchIndex
      const { search } = yield* Search
      const key = { tenant: acme, document: documentId(2) }
      yield* index.replace({ ...key, version: "1" }, () => Stream.make([{ chunk: chunk(0, "sales") }]))
      assert.deepStrictEqual((yield* search(acme, { query: "sales" })).hits, [])
      assert.deepStrictEqual(yield* index.documents(undefined, 10), [])
    }).pipe(Effect.provide(world()))
  )

  it.effect("waits for a place, and is refused after the longest wait or at once when too many wait", () => {
    const gate = Deferred.makeUnsafe<void>()
    const gates = [gate]
    const opened = Effect.suspend(() => Deferred.await(gates.at(-1) ?? gate))
    const slow = world({ index: () => ({ search: () => Effect.as(opened, []) }) })
    return Effect.gen(function* () {
      const { search } = yield* Search
      const first = yield* Effect.forEach([1, 2], () => Effect.forkChild(search(acme, { query: "a" })))
      yield* TestClock.adjust("1 millis")
      const waiting = yield* Effect.forkChild(Effect.flip(search(acme, { query: "b" })))
      yield* TestClock.adjust("499 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "SearchBusy")
      yield* TestClock.adjust("500 millis")
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(first, Fiber.join)
      assert.deepStrictEqual((yield* search(acme, { query: "c" })).hits, [])
      // Searches took a second lately: with two places, of three that wait the last would wait too long.
      const held = Deferred.makeUnsafe<void>()
      gates.push(held)
      const many = yield* Effect.forEach([1, 2, 3, 4], () =>
        Effect.forkChild(Effect.exit(search(acme, { query: "d" })))
      )
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Effect.flip(search(acme, { query: "e" })))._tag, "SearchBusy")
      yield* Deferred.succeed(held, undefined)
      yield* TestClock.adjust("1 millis")
      for (const exit of yield* Effect.forEach(many, Fiber.join)) assert.strictEqual(exit._tag, "Success")
    }).pipe(Effect.provide(slow))
  })
})
