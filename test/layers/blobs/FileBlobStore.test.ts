import { assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { layer } from "../../../src/layers/blobs/FileBlobStore.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import { blobStoreConformance } from "../../conformance/blobStore.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-blobs-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const inTemporaryDirectory = Layer.unwrap(
  Effect.map(temporaryDirectory, (directory) => layer({ directory: join(directory, "new", "store") }))
)
const bytes = new TextEncoder().encode("some bytes")

blobStoreConformance("blobs in files", () => Layer.fresh(inTemporaryDirectory))

it.effect("a blob is for its owner only and no temporary file stays behind", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const path = yield* Effect.gen(function* () {
      const blobs = yield* BlobStore
      yield* Effect.flip(blobs.put(Stream.make(bytes), 3))
      yield* Effect.flip(blobs.put(Stream.concat(Stream.make(bytes), Stream.fail("cut")), 100))
      const { hash } = yield* blobs.put(Stream.make(bytes), 100)
      const location = yield* blobs.locate(hash)
      return location._tag === "File" ? location.path : ""
    }).pipe(Effect.provide(layer({ directory })))
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    assert.strictEqual(statSync(join(directory, "blobs")).mode & 0o777, 0o700)
    assert.deepStrictEqual(readdirSync(join(directory, "tmp")), [])
  })
)

it.effect("putting a damaged blob again heals it", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    yield* Effect.gen(function* () {
      const blobs = yield* BlobStore
      const { hash } = yield* blobs.put(Stream.make(bytes), 100)
      const location = yield* blobs.locate(hash)
      if (location._tag === "File") truncateSync(location.path, 3)
      yield* blobs.put(Stream.make(bytes), 100)
      assert.strictEqual(yield* blobs.touch(hash), bytes.length)
    }).pipe(Effect.provide(layer({ directory })))
  })
)

it.effect("what is no file in the place of a blob is a lost blob, and nobody waits for it", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    yield* Effect.gen(function* () {
      const blobs = yield* BlobStore
      const { hash } = yield* blobs.put(Stream.make(bytes), 100)
      const path = join(directory, "blobs", hash.slice(0, 2), hash)
      for (const [program, args] of [
        ["mkfifo", [path]],
        ["mkdir", [path]]
      ] as const) {
        rmSync(path, { recursive: true })
        execFileSync(program, args)
        assert.strictEqual((yield* Effect.flip(blobs.locate(hash)))._tag, "BlobLost", program)
      }
    }).pipe(Effect.provide(layer({ directory })))
  })
)

it.effect("a put that cannot be completed says what failed and leaves no temporary file", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    yield* Effect.gen(function* () {
      const blobs = yield* BlobStore
      const { hash } = yield* blobs.put(Stream.make(bytes), 100)
      yield* blobs.remove(hash)
      const folder = join(directory, "blobs", hash.slice(0, 2))
      rmSync(folder, { recursive: true })
      writeFileSync(folder, "")
      const error = yield* Effect.flip(blobs.put(Stream.make(bytes), 100))
      assert.deepInclude(error, { _tag: "BlobStoreUnavailable", operation: "make a blob durable (ENOTDIR)" })
      assert.deepStrictEqual(readdirSync(join(directory, "tmp")), [])
    }).pipe(Effect.provide(layer({ directory })))
  })
)

it.effect("what crashed writers left is removed at start, what a living one writes is not", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const temporary = join(directory, "tmp")
    mkdirSync(temporary)
    const earlierProcess = `${hostname()}.${process.pid}.a`
    const deadProcess = `${hostname()}.${2 ** 22 + 1}.b`
    const living = [`${hostname()}.${process.pid}.c`, `${hostname()}.${process.ppid}.d`, "elsewhere.example.1.e"]
    for (const name of [earlierProcess, deadProcess, ...living]) writeFileSync(join(temporary, name), "half")
    utimesSync(join(temporary, earlierProcess), 1, 1)
    yield* Layer.build(layer({ directory }))
    assert.deepStrictEqual(readdirSync(temporary).toSorted(), living.toSorted())
  })
)

it.effect("a directory that cannot be used is a clear error at start", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const file = join(directory, "file")
    writeFileSync(file, "")
    const error = yield* Effect.flip(Layer.build(layer({ directory: file })))
    assert.strictEqual(error.message, `the blob store failed to prepare its directory ${file} (ENOTDIR)`)
  })
)
