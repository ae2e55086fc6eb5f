import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import { layer } from "../../../src/services/BlobStoreMemory.ts"
import { blobStoreConformance } from "../../conformance/blobStore.ts"

blobStoreConformance("blobs in memory", layer)

it.effect("a full memory store fails like a full disk and takes bytes again after a removal", () =>
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const six = Stream.make(new Uint8Array(6))
    const { hash } = yield* blobs.put(six, 100)
    assert.strictEqual(
      (yield* Effect.flip(blobs.put(Stream.make(new Uint8Array(5)), 100)))._tag,
      "BlobStoreUnavailable"
    )
    yield* blobs.remove(hash)
    assert.strictEqual((yield* blobs.put(Stream.make(new Uint8Array(5)), 100)).size, 5)
  }).pipe(Effect.provide(layer({ totalBytes: 10 })))
)
