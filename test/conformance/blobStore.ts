import { assert, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, type Layer, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { describe } from "vitest"
import { BlobHash } from "../../src/domain/Ids.ts"
import { type BlobLocation, BlobStore } from "../../src/services/BlobStore.ts"

const limit = 1_000_000
const text = (value: string) => new TextEncoder().encode(value)
const hashOf = (bytes: Uint8Array) => BlobHash.make(createHash("sha256").update(bytes).digest("hex"))
const bytesAt = (location: BlobLocation) =>
  location._tag === "File" ? new Uint8Array(readFileSync(location.path)) : location.bytes
const unknown = hashOf(text("never stored"))

export interface BlobStoreTestOptions {
  /**
   * The store is a server with a clock of its own: tests run in real time, and a list tells times by that clock, to about a
   * second.
   */
  readonly live?: boolean
}

/** What every blob store promises. `make` gives an empty store. */
export const blobStoreConformance = (
  name: string,
  make: () => Layer.Layer<BlobStore, unknown>,
  { live = false }: BlobStoreTestOptions = {}
) =>
  describe(name, () => {
    const test = <E>(title: string, body: Effect.Effect<void, E, BlobStore | Scope.Scope>) =>
      (live ? it.live : it.effect)(title, () => Effect.provide(body, make()))

    const now = Clock.currentTimeMillis
    const moveOn = live ? Effect.sleep("3 millis") : TestClock.adjust("1 minute")
    const justAfter = live ? Effect.andThen(moveOn, now) : Effect.map(now, (millis) => millis + 1)
    const assertTime = (told: number | undefined, expected: number) =>
      live ? assert.isAtMost(Math.abs((told ?? 0) - expected), 30_000) : assert.strictEqual(told, expected)

    const listed = Effect.flatMap(BlobStore, (blobs) => Stream.runCollect(blobs.list))

    test(
      "keeps bytes under their hash",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const stored = yield* blobs.put(Stream.make(text("one, "), text(""), text("two")), limit)
        assert.deepStrictEqual(stored, { hash: hashOf(text("one, two")), size: 8 })
        assert.strictEqual(yield* blobs.touch(stored.hash), 8)
        assert.deepStrictEqual(bytesAt(yield* blobs.locate(stored.hash)), text("one, two"))
      })
    )

    test(
      "receives bytes for a document like any others, and stores them at once unless it gives a receipt",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const { receipt, ...received } = yield* blobs.receive(Stream.make(text("one, "), text("two")), limit)
        assert.deepStrictEqual(received, { hash: hashOf(text("one, two")), size: 8 })
        assert.lengthOf(yield* listed, receipt === undefined ? 1 : 0)
        assert.strictEqual((yield* Effect.flip(blobs.receive(Stream.make(text("1234")), 3)))._tag, "BlobTooLarge")
      })
    )

    test(
      "keeps an empty blob",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const stored = yield* blobs.put(Stream.empty, limit)
        assert.deepStrictEqual(stored, { hash: hashOf(text("")), size: 0 })
        assert.strictEqual(yield* blobs.touch(stored.hash), 0)
      })
    )

    test(
      "hashes bytes alike, however they are cut",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const bytes = Uint8Array.from({ length: 3_000 }, (_, n) => n % 251)
        const cuts = [0, 1, 1_000, 1_023, 1_030, 3_000]
        const chunks = cuts.slice(1).map((end, n) => bytes.subarray(cuts[n], end))
        const stored = yield* blobs.put(Stream.fromIterable(chunks).pipe(Stream.rechunk(1)), limit)
        assert.strictEqual(stored.hash, hashOf(bytes))
        const batched = yield* blobs.put(Stream.fromIterable(chunks), limit)
        assert.deepStrictEqual(batched, stored)
      })
    )

    test(
      "does not depend on the caller's buffer after a chunk was taken",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const buffer = new Uint8Array(4)
        const reused = Stream.range(1, 3).pipe(
          Stream.rechunk(1),
          Stream.map((n) => buffer.fill(n))
        )
        const stored = yield* blobs.put(reused, limit)
        const expected = Uint8Array.of(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)
        assert.strictEqual(stored.hash, hashOf(expected))
        assert.deepStrictEqual(bytesAt(yield* blobs.locate(stored.hash)), expected)
      })
    )

    test(
      "takes exactly the limit and refuses one byte more, keeping nothing",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const error = yield* Effect.flip(blobs.put(Stream.make(text("1234"), text("5")), 4))
        assert.deepInclude(error, { _tag: "BlobTooLarge", limit: 4 })
        assert.deepStrictEqual(yield* listed, [])
        assert.strictEqual((yield* blobs.put(Stream.make(text("12"), text("34")), 4)).size, 4)
      })
    )

    test(
      "stops reading at the limit",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const endless = Stream.forever(Stream.succeed(text("0123456789")))
        assert.strictEqual((yield* Effect.flip(blobs.put(endless, 1_000)))._tag, "BlobTooLarge")
      })
    )

    test(
      "keeps nothing when the stream fails",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const broken = Stream.concat(Stream.make(text("half")), Stream.fail("connection lost"))
        assert.strictEqual(yield* Effect.flip(blobs.put(broken, limit)), "connection lost")
        assert.deepStrictEqual(yield* listed, [])
      })
    )

    test(
      "keeps nothing when the put is interrupted",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const reached = yield* Deferred.make<void>()
        const stuck = Stream.concat(
          Stream.make(text("half")),
          Stream.fromEffect(Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
        )
        const fiber = yield* Effect.forkChild(blobs.put(stuck, limit))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* listed, [])
      })
    )

    test(
      "stores the same bytes once, also when they are put at the same time",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const all = yield* Effect.all(
          Array.from({ length: 20 }, () => blobs.put(Stream.make(text("same"), text(" bytes")), limit)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(all.map((stored) => stored.hash)).size, 1)
        assert.strictEqual((yield* listed).length, 1)
        assert.deepStrictEqual(bytesAt(yield* blobs.locate(hashOf(text("same bytes")))), text("same bytes"))
      })
    )

    test(
      "tells when each blob was last put",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        if (!live) yield* TestClock.setTime(1_800_000_000_123)
        const firstAt = yield* now
        const first = yield* blobs.put(Stream.make(text("first")), limit)
        const second = yield* blobs.put(Stream.make(text("second")), limit)
        yield* moveOn
        const secondAt = yield* now
        yield* blobs.put(Stream.make(text("second")), limit)
        const told = new Map((yield* listed).map(({ hash, putAtMillis }) => [hash, putAtMillis]))
        assert.strictEqual(told.size, 2)
        assertTime(told.get(first.hash), firstAt)
        assertTime(told.get(second.hash), secondAt)
      })
    )

    test(
      "lists many blobs",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const names = Array.from({ length: 300 }, (_, n) => text(`blob ${n}`))
        yield* Effect.forEach(names, (bytes) => blobs.put(Stream.make(bytes), limit), { concurrency: 8 })
        const hashes = (yield* listed).map(({ hash }) => hash)
        assert.deepStrictEqual(hashes.toSorted(), names.map(hashOf).toSorted())
      })
    )

    test(
      "forgets a removed blob, and does not mind removing what is not there",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const { hash } = yield* blobs.put(Stream.make(text("gone")), limit)
        yield* blobs.remove(hash)
        yield* blobs.remove(hash)
        yield* blobs.remove(unknown)
        assert.deepStrictEqual(yield* listed, [])
        assert.strictEqual((yield* Effect.flip(blobs.locate(hash)))._tag, "BlobLost")
      })
    )

    test(
      "keeps a blob that was put again since the given moment",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const { hash } = yield* blobs.put(Stream.make(text("old")), limit)
        yield* moveOn
        const again = yield* now
        yield* blobs.put(Stream.make(text("old")), limit)
        yield* blobs.remove(hash, again)
        assert.strictEqual((yield* listed).length, 1)
        const later = yield* justAfter
        yield* blobs.remove(hash, later)
        assert.deepStrictEqual(yield* listed, [])
        yield* blobs.remove(hash, later)
      })
    )

    test(
      "keeps a blob that was touched since the given moment, with its bytes",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        if (!live) yield* TestClock.setTime(1_800_000_000_123)
        const { hash } = yield* blobs.put(Stream.make(text("touched")), limit)
        yield* moveOn
        const touchedAt = yield* now
        assert.strictEqual(yield* blobs.touch(hash), 7)
        const [blob, ...others] = yield* listed
        assert.deepInclude(blob, { hash, known: true })
        assertTime(blob?.putAtMillis, touchedAt)
        assert.deepStrictEqual(others, [])
        yield* blobs.remove(hash, touchedAt)
        assert.deepStrictEqual(bytesAt(yield* blobs.locate(hash)), text("touched"))
        yield* blobs.remove(hash, yield* justAfter)
        assert.deepInclude(yield* Effect.flip(blobs.touch(hash)), { _tag: "BlobLost", hash })
        assert.deepStrictEqual(yield* listed, [])
      })
    )

    test(
      "removes nothing when the right to remove it has run out",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        const { hash } = yield* blobs.put(Stream.make(text("spared")), limit)
        const before = (yield* now) - 1
        assert.strictEqual((yield* Effect.flip(blobs.remove(hash, undefined, before)))._tag, "BlobStoreUnavailable")
        assert.lengthOf(yield* listed, 1)
        yield* blobs.remove(hash, undefined, before + 60_000)
        assert.deepStrictEqual(yield* listed, [])
      })
    )

    test(
      "calls an unknown blob lost",
      Effect.gen(function* () {
        const blobs = yield* BlobStore
        assert.deepInclude(yield* Effect.flip(blobs.locate(unknown)), { _tag: "BlobLost", hash: unknown })
        assert.deepInclude(yield* Effect.flip(blobs.touch(unknown)), { _tag: "BlobLost", hash: unknown })
      })
    )
  })
