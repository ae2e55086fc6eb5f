import { assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { BlobHash } from "../../../src/domain/Ids.ts"
import * as SqliteBlobStore from "../../../src/layers/sqlite/SqliteBlobStore.ts"
import * as SqliteStore from "../../../src/layers/sqlite/SqliteStore.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import * as BlobStoreMemory from "../../../src/services/BlobStoreMemory.ts"
import { blobStoreConformance } from "../../conformance/blobStore.ts"
import { acme, at, newDocument, plenty } from "../../conformance/storeFixtures.ts"
import { storeOf, wholeStore } from "../../support/store.ts"

const small = 64 * 1024
const inMemory = () => SqliteStore.layerDatabase({ filename: ":memory:" })

blobStoreConformance("blobs in the database", () =>
  Layer.fresh(SqliteBlobStore.layerNoDeps.pipe(Layer.provide([BlobStoreMemory.layer(), inMemory()])))
)

/** The store with the one for large blobs still to be had beside it. */
const withOthers = Effect.gen(function* () {
  const others = yield* BlobStore
  const blobs = yield* Effect.provide(BlobStore, SqliteBlobStore.layerNoDeps)
  return { blobs, others }
})

const bytes = (size: number) => new Uint8Array(size).fill(7)
const inPieces = (size: number) =>
  Stream.rechunk(Stream.fromIterable(Array.from({ length: size / 16 }, () => bytes(16))), 1)

const listed = (blobs: BlobStore["Service"]) =>
  Effect.map(Stream.runCollect(blobs.list), (found) => found.map(({ hash }) => hash))

it.effect("blobs up to 64 KiB are kept in the database, larger ones elsewhere, with all their bytes", () =>
  Effect.gen(function* () {
    const { blobs, others } = yield* withOthers
    const kept = yield* blobs.put(inPieces(small), 1_000_000)
    const larger = yield* blobs.put(inPieces(small + 16), 1_000_000)
    assert.deepStrictEqual(yield* listed(others), [larger.hash])
    assert.sameMembers(yield* listed(blobs), [kept.hash, larger.hash])
    for (const [{ hash, size }, wanted] of [
      [kept, small],
      [larger, small + 16]
    ] as const) {
      const location = yield* blobs.locate(hash)
      assert.strictEqual(size, wanted)
      assert.deepStrictEqual(location._tag === "Bytes" && Buffer.from(location.bytes), Buffer.from(bytes(wanted)))
    }
  }).pipe(Effect.provide(Layer.merge(BlobStoreMemory.layer(), inMemory())))
)

it.effect("a small blob that lies elsewhere from before is found, renewed and removed there", () =>
  Effect.gen(function* () {
    const { blobs, others } = yield* withOthers
    const { hash } = yield* others.put(Stream.make(bytes(10)), 100)
    assert.strictEqual((yield* blobs.locate(hash))._tag, "Bytes")
    assert.strictEqual(yield* blobs.touch(BlobHash.make(hash)), 10)
    yield* blobs.remove(hash)
    assert.deepStrictEqual(yield* listed(others), [])
  }).pipe(Effect.provide(Layer.merge(BlobStoreMemory.layer(), inMemory())))
)

it.effect("a sender that uses its buffer again does not change what was taken", () =>
  Effect.gen(function* () {
    const { blobs } = yield* withOthers
    const buffer = Buffer.alloc(4)
    const sent = ["%PDF", "abcd", "efgh"]
    const reused = Stream.map(Stream.rechunk(Stream.fromIterable(sent), 1), (text) => {
      buffer.write(text)
      return buffer
    })
    const { hash } = yield* blobs.put(reused, 100)
    const location = yield* blobs.locate(hash)
    assert.strictEqual(location._tag === "Bytes" && Buffer.from(location.bytes).toString(), sent.join(""))
  }).pipe(Effect.provide(Layer.merge(BlobStoreMemory.layer(), inMemory())))
)

it.effect("a small blob that was received for a document is stored by its acceptance, and not if that is refused", () =>
  Effect.gen(function* () {
    const { blobs } = yield* withOthers
    const documents = yield* Effect.provide(wholeStore, SqliteStore.layerNoDeps)
    const stored = yield* blobs.receive(Stream.make(bytes(10)), 100)
    assert.deepStrictEqual(yield* listed(blobs), [])
    const document = newDocument(1, { source: { _tag: "Blob", ...stored }, reuse: true })
    yield* Effect.flip(documents.accept(document, { ...plenty, tenant: 0 }))
    assert.deepStrictEqual(yield* listed(blobs), [])

    const accepted = yield* documents.accept(document, plenty)
    assert.deepStrictEqual(accepted, yield* documents.find(acme, accepted.id))
    assert.deepStrictEqual(yield* blobs.locate(stored.hash), { _tag: "Bytes", bytes: bytes(10), hash: stored.hash })

    // What another document stands in for is renewed all the same: nobody may remove it as old.
    yield* at(5_000, documents.accept({ ...document, id: newDocument(2).id }, plenty))
    assert.deepStrictEqual(yield* Stream.runCollect(blobs.list), [
      { hash: stored.hash, putAtMillis: 5_000, known: true }
    ])
  }).pipe(Effect.provide(Layer.merge(BlobStoreMemory.layer(), inMemory())))
)

it.effect("a large blob is stored when it was received, and needs no receipt", () =>
  Effect.gen(function* () {
    const { blobs } = yield* withOthers
    const stored = yield* blobs.receive(inPieces(small + 16), 1_000_000)
    assert.isUndefined(stored.receipt)
    assert.deepStrictEqual(yield* listed(blobs), [stored.hash])
  }).pipe(Effect.provide(Layer.merge(BlobStoreMemory.layer(), inMemory())))
)

for (const [where, elsewhere] of [
  ["another database", SqliteStore.layer({ filename: ":memory:" })],
  ["memory", StoreMemory.layerMemory]
] as const) {
  it.effect(`a receipt is refused by a store in ${where}, which has no bytes for it`, () =>
    Effect.gen(function* () {
      const { blobs } = yield* withOthers
      const stored = yield* blobs.receive(Stream.make(bytes(10)), 100)
      const other = storeOf(yield* Layer.build(Layer.fresh(elsewhere)))
      const refused = yield* Effect.flip(other.accept(newDocument(1, { source: { _tag: "Blob", ...stored } }), plenty))
      assert.strictEqual(refused._tag, "StoreUnavailable")
      assert.strictEqual((yield* other.stats()).waiting, 0)
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(BlobStoreMemory.layer(), inMemory())))
  )
}
