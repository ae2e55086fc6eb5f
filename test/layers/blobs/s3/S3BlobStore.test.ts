import { assert, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Layer, Scope, Stream } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe } from "vitest"
import * as S3BlobStore from "../../../../src/layers/blobs/s3/S3BlobStore.ts"
import { layerHttp, listAll, makeBucket } from "../../../../src/layers/s3/Bucket.ts"
import type { S3Access } from "../../../../src/layers/s3/S3Settings.ts"
import { makeUnusedBlobs } from "../../../../src/actors/upkeep/UnusedBlobs.ts"
import { BlobStore } from "../../../../src/services/BlobStore.ts"
import * as StoreMemory from "../../../../src/services/store/memory/StoreMemory.ts"
import { type BlobReference, BlobReferences } from "../../../../src/services/store/BlobReferences.ts"
import { blobStoreConformance } from "../../../conformance/blobStore.ts"
import { accessOf, startSwift, type Swift, swiftMissing } from "../../../support/swift/Swift.ts"
import { type Fault, startFaultyProxy } from "../../../support/swift/FaultyProxy.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-s3-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe.skipIf(swiftMissing !== undefined)(`blobs in a bucket of a real server ${swiftMissing ?? ""}`, () => {
  const scope = Scope.makeUnsafe()
  let swift: Swift
  let prefixes = 0

  beforeAll(async () => {
    swift = await Effect.runPromise(Scope.provide(startSwift, scope))
    await Effect.runPromise(swift.makeBucket("blobs"))
  }, 120_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const newPrefix = () => `tests/${prefixes++}`

  interface StoreOptions {
    readonly prefix?: string
    readonly folder?: string
    readonly access?: S3Access
    readonly cacheBytes?: number
    readonly bucket?: string
  }

  const storeWith = ({ access, bucket = "blobs", cacheBytes = 10_000_000, folder, prefix }: StoreOptions = {}) =>
    Layer.unwrap(
      Effect.gen(function* () {
        return S3BlobStore.layer({
          bucket: yield* makeBucket(access ?? swift.access, bucket),
          prefix: prefix ?? newPrefix(),
          folder: folder ?? (yield* temporaryFolder),
          cacheBytes
        })
      })
    ).pipe(Layer.provide(layerHttp))

  const open = (options: StoreOptions) =>
    Effect.map(Layer.build(Layer.fresh(storeWith(options))), (context) => BlobStore.pipe(Effect.provide(context))).pipe(
      Effect.flatten
    )

  blobStoreConformance("a store of blobs in a bucket", () => Layer.fresh(storeWith()), { live: true })

  const bytes = new TextEncoder().encode("some bytes that are stored")
  const putBytes = (blobs: BlobStore["Service"], content: Uint8Array = bytes) =>
    blobs.put(Stream.make(content), 10_000_000)
  const pathOf = (blobs: BlobStore["Service"], hash: Parameters<typeof blobs.locate>[0]) =>
    Effect.map(blobs.locate(hash), (location) => (location._tag === "File" ? location.path : ""))
  const filesIn = (folder: string) => readdirSync(join(folder, "blobs")).toSorted()

  it.live("what one instance has put, another finds, by fetching it once", () =>
    Effect.gen(function* () {
      const prefix = newPrefix()
      const folder = yield* temporaryFolder
      const one = yield* open({ prefix })
      const other = yield* open({ prefix, folder })
      const { hash } = yield* putBytes(one)
      assert.deepStrictEqual(filesIn(folder), [])
      const paths = yield* Effect.all(
        Array.from({ length: 10 }, () => pathOf(other, hash)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(paths).size, 1)
      assert.deepStrictEqual(new Uint8Array(readFileSync(paths[0] ?? "")), bytes)
      assert.deepStrictEqual(filesIn(folder), [hash])
      assert.deepStrictEqual(readdirSync(join(folder, "tmp")), [])
      yield* other.remove(hash)
      assert.deepStrictEqual(yield* Stream.runCollect(one.list), [])
    })
  )

  it.live("the cache gives up what was used least recently, and nothing that is in use", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const blobs = yield* open({ folder, cacheBytes: 2_500 })
      const contents = [1, 2, 3, 4].map((n) => new Uint8Array(1_000).fill(n))
      const [first, second, third, fourth] = yield* Effect.forEach(contents, (content) => putBytes(blobs, content))
      assert.sameMembers(filesIn(folder), [third?.hash ?? "", fourth?.hash ?? ""])
      if (first === undefined || second === undefined) return assert.fail("nothing was put")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const path = yield* pathOf(blobs, first.hash)
          yield* Effect.scoped(pathOf(blobs, second.hash))
          for (const { hash } of [third, fourth, second].filter((blob) => blob !== undefined))
            yield* Effect.scoped(pathOf(blobs, hash))
          assert.deepStrictEqual(new Uint8Array(readFileSync(path)), contents[0])
        })
      )
      yield* Effect.scoped(pathOf(blobs, second.hash))
      assert.isAtMost(filesIn(folder).length, 2)
    })
  )

  it.live("a cache without room for one blob keeps it for as long as it is used", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const blobs = yield* open({ folder, cacheBytes: 1 })
      const { hash } = yield* putBytes(blobs)
      assert.deepStrictEqual(filesIn(folder), [])
      yield* Effect.scoped(
        Effect.gen(function* () {
          assert.deepStrictEqual(new Uint8Array(readFileSync(yield* pathOf(blobs, hash))), bytes)
          yield* putBytes(blobs, new Uint8Array(10))
          assert.deepStrictEqual(filesIn(folder), [hash])
        })
      )
      assert.deepStrictEqual(filesIn(folder), [])
    })
  )

  it.live("files that an earlier process left are used again if they are whole, and fetched again if not", () =>
    Effect.gen(function* () {
      const prefix = newPrefix()
      const folder = yield* temporaryFolder
      const { hash } = yield* Effect.scoped(Effect.flatMap(open({ prefix, folder }), (blobs) => putBytes(blobs)))
      assert.deepStrictEqual(filesIn(folder), [hash])
      const torn = bytes.slice()
      torn.fill(0, 10)
      writeFileSync(join(folder, "blobs", hash), torn)
      const blobs = yield* open({ prefix, folder })
      assert.deepStrictEqual(new Uint8Array(readFileSync(yield* pathOf(blobs, hash))), bytes)
      rmSync(join(folder, "blobs", hash))
      assert.deepStrictEqual(new Uint8Array(readFileSync(yield* pathOf(blobs, hash))), bytes)
    })
  )

  it.live("a wrong secret, a bucket that is not there and a server that is away are told apart", () =>
    Effect.gen(function* () {
      const reasonOf = (options: StoreOptions) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(putBytes(yield* open(options)))
          return error._tag === "BlobStoreUnavailable" && error.cause instanceof Error
            ? error.cause.message
            : error._tag
        })
      const wrongKey = yield* reasonOf({ access: accessOf(swift.url, "not the secret") })
      assert.include(wrongKey, "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
      assert.notInclude(wrongKey, "not the secret")
      assert.include(yield* reasonOf({ bucket: "none" }), "create the bucket")
      assert.include(
        yield* reasonOf({ access: { ...swift.access, region: "elsewhere" } }),
        "set S3_REGION to the region of the bucket"
      )
      assert.include(yield* reasonOf({ access: accessOf("http://127.0.0.1:1") }), "ECONNREFUSED")
    })
  )

  const faulty = Effect.fnUntraced(function* (...faults: ReadonlyArray<Fault>) {
    const proxy = yield* startFaultyProxy(swift.url)
    const prefix = newPrefix()
    const { hash } = yield* Effect.flatMap(open({ prefix }), (blobs) => putBytes(blobs))
    const blobs = yield* open({ prefix, access: { ...proxy.access, timeout: swift.access.timeout } })
    yield* proxy.next(...faults)
    return { blobs, hash, proxy }
  })

  it.live("a fetch is tried again after 503, after a reset in the middle of the body, and after wrong bytes", () =>
    Effect.gen(function* () {
      const { blobs, hash, proxy } = yield* faulty("busy", "reset", "wrong bytes")
      assert.deepStrictEqual(new Uint8Array(readFileSync(yield* pathOf(blobs, hash))), bytes)
      assert.strictEqual(yield* proxy.left, 0)
    })
  )

  it.live("a put is tried again after 503 and after a reset, and waits as long as Retry-After tells", () =>
    Effect.gen(function* () {
      const { blobs, proxy } = yield* faulty("busy", "reset")
      const { hash } = yield* putBytes(blobs, new Uint8Array(200_000).fill(7))
      assert.strictEqual(yield* proxy.left, 0)
      assert.strictEqual((yield* Stream.runCollect(blobs.list)).filter((blob) => blob.hash === hash).length, 1)
    })
  )

  it.live("bytes that are always wrong are a lost blob, and nothing of them is kept", () =>
    Effect.gen(function* () {
      const { blobs, hash } = yield* faulty("wrong bytes", "wrong bytes", "wrong bytes", "wrong bytes")
      assert.include(yield* Effect.flip(blobs.locate(hash)), { _tag: "BlobLost" })
      assert.deepStrictEqual(new Uint8Array(readFileSync(yield* pathOf(blobs, hash))), bytes)
    })
  )

  it.live("a server that stops answering makes a call fail in time", () =>
    Effect.gen(function* () {
      const proxy = yield* startFaultyProxy(swift.url)
      yield* proxy.next("silent", "silent", "silent", "silent")
      const blobs = yield* open({ access: { ...proxy.access, timeout: Duration.millis(200) } })
      const error = yield* Effect.flip(putBytes(blobs))
      assert.include(error._tag === "BlobStoreUnavailable" ? String(error.cause) : "", "no answer within")
    })
  )

  it.live("a removal has no effect after the moment at which its right ends, also when it is held up on the way", () =>
    Effect.gen(function* () {
      const { blobs, hash } = yield* faulty("late")
      const now = yield* Clock.currentTimeMillis
      const late = yield* Effect.flip(blobs.remove(hash, undefined, now + 1_900))
      assert.include(String(late.cause), "set the clocks")
      const tooLate = yield* Effect.flip(blobs.remove(hash, undefined, now))
      assert.include(String(tooLate.cause), "has run out")
      assert.lengthOf(yield* Stream.runCollect(blobs.list), 1)
      yield* blobs.remove(hash, undefined, now + 60_000)
      assert.lengthOf(yield* Stream.runCollect(blobs.list), 0)
    })
  )

  it.live("a list comes in pages", () =>
    Effect.gen(function* () {
      const prefix = newPrefix()
      const blobs = yield* open({ prefix })
      yield* Effect.forEach([1, 2, 3, 4, 5], (n) => putBytes(blobs, Uint8Array.of(n)))
      const bucket = yield* Effect.provide(makeBucket(swift.access, "blobs"), layerHttp)
      const keys = (yield* Stream.runCollect(listAll(bucket, `${prefix}/`, 2))).map(({ key }) => key)
      assert.strictEqual(keys.length, 5)
      assert.strictEqual(new Set(keys).size, 5)
      const { next, objects } = yield* bucket.list(`${prefix}/`, undefined, 2)
      assert.lengthOf(objects, 2)
      assert.isDefined(next)
    }).pipe(Effect.provide(layerHttp))
  )

  it.live("a collection in one instance never takes the bytes of an upload that goes on in another", () =>
    Effect.gen(function* () {
      const prefix = newPrefix()
      const references = yield* BlobReferences
      const one = yield* open({ prefix })
      const other = yield* open({ prefix })
      const unused = yield* Effect.provideService(makeUnusedBlobs, BlobStore, one)
      for (let round = 0; round < 8; round++) {
        const content = Uint8Array.of(1, 2, 3, round)
        const { hash } = yield* putBytes(one, content)
        const [, reference] = yield* Effect.all(
          [
            Effect.flatMap(Clock.currentTimeMillis, (now) => unused.collect(hash, now + 1)).pipe(
              Effect.delay(Duration.millis(round * 10))
            ),
            Effect.gen(function* () {
              const taken = yield* Deferred.make<BlobReference>()
              yield* other.put(Stream.make(content), 100, {
                reserve: (wanted) =>
                  Effect.flatMap(references.reserve(wanted, "1 minute"), (given) => Deferred.succeed(taken, given))
              })
              return yield* Deferred.await(taken)
            })
          ],
          { concurrency: "unbounded" }
        )
        assert.lengthOf(yield* Stream.runCollect(other.list), 1)
        yield* references.release(reference)
        yield* Effect.flatMap(Clock.currentTimeMillis, (now) => unused.collect(hash, now + 1))
        assert.lengthOf(yield* Stream.runCollect(other.list), 0)
      }
    }).pipe(Effect.provide(StoreMemory.layerMemory))
  )

  it.live("a clock that is wrong is told by how much", () =>
    Effect.gen(function* () {
      const blobs = yield* open({})
      const clock = yield* Clock.Clock
      const hour = 3_600_000
      const wrong: Clock.Clock = Object.assign(Object.create(clock), {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() - hour,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis - hour)
      })
      const error = yield* Effect.flip(Effect.provideService(putBytes(blobs), Clock.Clock, wrong))
      const told = error._tag === "BlobStoreUnavailable" ? String(error.cause) : ""
      assert.match(told, /whose clock is (1h|59m \d+s) ahead; set the clock/)
    })
  )
})
