import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as BlobCollection from "../../../src/actors/upkeep/BlobCollection.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import * as BlobStoreMemory from "../../../src/services/BlobStoreMemory.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { newDocument, plenty } from "../../conformance/storeFixtures.ts"

const put = (text: string) => BlobStore.use((blobs) => blobs.put(Stream.make(new TextEncoder().encode(text)), 1024))

const kept = BlobStore.use((blobs) =>
  Effect.map(Stream.runCollect(blobs.list), (found) => found.map(({ hash }) => hash).toSorted())
)

describe("the sweep of blobs", () => {
  it.effect(
    "removes what a crash left behind, an hour later, nothing that is used or young, and stops with its scope",
    () =>
      Effect.gen(function* () {
        const queue = yield* DocumentQueue
        const used = yield* put("used")
        yield* queue.accept(newDocument(1, { source: { _tag: "Blob", ...used } }), plenty)
        const abandoned = yield* put("abandoned")
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Layer.build(BlobCollection.layer)
            yield* TestClock.adjust("59 minutes")
            assert.include(yield* kept, abandoned.hash)
            yield* TestClock.adjust("30 minutes")
            const young = yield* put("young")
            yield* TestClock.adjust("32 minutes")
            assert.deepStrictEqual(yield* kept, [used.hash, young.hash].toSorted())
          })
        )
        yield* TestClock.adjust("1 day")
        assert.strictEqual((yield* kept).length, 2)
      }).pipe(Effect.provide([BlobStoreMemory.layerMemory, StoreMemory.layerMemory]))
  )
})
