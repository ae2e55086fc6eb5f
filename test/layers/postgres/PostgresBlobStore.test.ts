import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TenantId } from "../../../src/domain/Ids.ts"
import * as PostgresBlobStore from "../../../src/layers/postgres/PostgresBlobStore.ts"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import * as BlobStoreMemory from "../../../src/services/BlobStoreMemory.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { blobStoreConformance } from "../../conformance/blobStore.ts"
import { acme, at, newDocument, plenty } from "../../conformance/storeFixtures.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"
import { storeOf, wholeStore } from "../../support/store.ts"

const database = emptied()
const inPostgres = Layer.unwrap(Effect.map(database, databaseLayer))
const bytes = (size: number) => new Uint8Array(size).fill(7)
const listed = (blobs: BlobStore["Service"]) =>
  Effect.map(Stream.runCollect(blobs.list), (found) => found.map(({ hash }) => hash))

/** A small blob that was received, and the store of documents beside it. */
const received = Effect.gen(function* () {
  const blobs = yield* Effect.provide(BlobStore, PostgresBlobStore.layerNoDeps)
  const documents = yield* Effect.provide(wholeStore, PostgresStore.layerNoDeps)
  const stored = yield* blobs.receive(Stream.make(bytes(10)), 100)
  return { blobs, documents, stored }
})

describe.skipIf(postgresBinaries === undefined)(`Small blobs in Postgres (${withoutPostgres})`, () => {
  blobStoreConformance("keep what every blob store promises", () =>
    Layer.fresh(PostgresBlobStore.layerNoDeps.pipe(Layer.provide([BlobStoreMemory.layer(), inPostgres])))
  )

  const test = <E>(title: string, body: Effect.Effect<void, E, Effect.Services<typeof received>>) =>
    it.effect(title, () => Effect.provide(body, Layer.merge(BlobStoreMemory.layer(), inPostgres)))

  test(
    "are stored by the acceptance of their document, and not if that is refused",
    Effect.gen(function* () {
      const { blobs, documents, stored } = yield* received
      assert.deepStrictEqual(yield* listed(blobs), [])
      const document = newDocument(1, { source: { _tag: "Blob", ...stored }, reuse: true })
      yield* Effect.flip(documents.accept(document, { ...plenty, tenant: 0 }))
      assert.deepStrictEqual(yield* listed(blobs), [])

      const accepted = yield* documents.accept(document, plenty)
      assert.deepStrictEqual(accepted, yield* documents.find(acme, accepted.id))
      const location = yield* Effect.scoped(blobs.locate(stored.hash))
      assert.deepStrictEqual(location._tag === "Bytes" && [...location.bytes], [...bytes(10)])

      // What another document stands in for is renewed all the same: nobody may remove it as old.
      yield* at(5_000, documents.accept({ ...document, id: newDocument(2).id }, plenty))
      assert.deepStrictEqual(yield* Stream.runCollect(blobs.list), [
        { hash: stored.hash, putAtMillis: 5_000, known: true }
      ])
    })
  )

  test(
    "are not removed while a document refers to them",
    Effect.gen(function* () {
      const { blobs, documents, stored } = yield* received
      yield* documents.accept(newDocument(1, { source: { _tag: "Blob", ...stored } }), plenty)
      yield* blobs.remove(stored.hash)
      assert.deepStrictEqual(yield* listed(blobs), [stored.hash])
    })
  )

  test(
    "stay whole however acceptances and removals of the same bytes meet",
    Effect.gen(function* () {
      const { blobs, documents, stored } = yield* received
      const rounds = 20
      for (let round = 0; round < rounds; round++) {
        const documentsOf = Array.from({ length: 4 }, (_, index) =>
          newDocument(round * 4 + index + 1, {
            tenantId: TenantId.make(`tenant-${index}`),
            source: { _tag: "Blob", ...stored },
            reuse: false
          })
        )
        yield* Effect.all(
          [
            ...documentsOf.map((document) => Effect.asVoid(documents.accept(document, plenty))),
            ...documentsOf.map(() => blobs.remove(stored.hash))
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(yield* listed(blobs), [stored.hash])
        yield* Effect.forEach(documentsOf, ({ id, tenantId }) => documents.remove(tenantId, id), {
          concurrency: "unbounded"
        })
        yield* blobs.remove(stored.hash)
        assert.deepStrictEqual(yield* listed(blobs), [])
      }
    })
  )

  test(
    "have a receipt that a store elsewhere refuses",
    Effect.gen(function* () {
      const { stored } = yield* received
      const other = storeOf(yield* Layer.build(StoreMemory.layerMemory))
      const refused = yield* Effect.flip(other.accept(newDocument(1, { source: { _tag: "Blob", ...stored } }), plenty))
      assert.strictEqual(refused._tag, "StoreUnavailable")
    }).pipe(Effect.scoped)
  )
})
