import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { noRegister } from "../../../src/layers/blobs/BlobRegister.ts"
import { originalsFromEnv } from "../../../src/layers/blobs/Originals.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"

const folders = Effect.acquireRelease(
  Effect.sync(() => {
    const root = mkdtempSync(join(tmpdir(), "sluice-originals-"))
    const [one, other, shared] = ["one", "other", "shared"].map((name) => join(root, name))
    return { root, one: one ?? "", other: other ?? "", shared: shared ?? "" }
  }),
  ({ root }) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
)

const originalsWith = (directory: string, env: Record<string, string>) =>
  originalsFromEnv(directory).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { DATA_DIR: directory, ...env } })))
  )

const storeOf = (directory: string, env: Record<string, string>) =>
  Effect.gen(function* () {
    const originals = yield* originalsWith(directory, env)
    return yield* Effect.provide(BlobStore, yield* Layer.build(Layer.fresh(originals.layer(noRegister))))
  })

const bytes = new TextEncoder().encode("an original")

it.effect("two services find each other's originals in a shared folder", () =>
  Effect.gen(function* () {
    const { one, other, shared } = yield* folders
    const first = yield* storeOf(one, { BLOBS: shared })
    const second = yield* storeOf(other, { BLOBS: shared })
    const { hash } = yield* first.put(Stream.make(bytes), 100)
    const location = yield* second.locate(hash)
    assert.deepStrictEqual(location._tag === "File" && new Uint8Array(readFileSync(location.path)), bytes)
    const late = yield* Effect.flip(second.remove(hash, undefined, -1))
    assert.strictEqual(late._tag, "BlobStoreUnavailable")
    assert.strictEqual(yield* first.touch(hash), bytes.length)
    yield* second.remove(hash, undefined, 60_000)
    assert.strictEqual((yield* Effect.flip(first.locate(hash)))._tag, "BlobLost")
    assert.isFalse(existsSync(join(one, "blobs")))
  })
)

it.effect("a service does not start with another place while originals lie in its data folder", () =>
  Effect.gen(function* () {
    const { one, shared } = yield* folders
    const hash = "ab".repeat(32)
    mkdirSync(join(one, "blobs", "ab"), { recursive: true })
    writeFileSync(join(one, "blobs", "ab", hash), bytes)
    const key = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", S3_ENDPOINT: "http://127.0.0.1:1" }
    for (const env of [{ BLOBS: shared }, { BLOBS: "s3://bucket/x", ...key }]) {
      const error = yield* Effect.flip(originalsWith(one, env))
      assert.include(error.message, "Copy them there")
      assert.include(error.message, env.BLOBS)
    }
    yield* originalsWith(one, { BLOBS: one })
    yield* originalsWith(one, { BLOBS: "" })
  })
)

it.effect("a wrong place, and a bucket without a key, are refused by the names of their variables", () =>
  Effect.gen(function* () {
    const { one } = yield* folders
    for (const BLOBS of ["relative/folder", "s3://", "s3://a", "s3://bucket/../x", "https://bucket", "gs://bucket"])
      assert.include(String((yield* Effect.flip(originalsWith(one, { BLOBS }))).message), "BLOBS", BLOBS)
    const BLOBS = "s3://bucket"
    const error = yield* Effect.flip(originalsWith(one, { BLOBS, AWS_ACCESS_KEY_ID: "a" }))
    assert.include(String(error.message), "AWS_SECRET_ACCESS_KEY")
    const endpoint = { BLOBS, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "hidden", S3_ENDPOINT: "ftp://x" }
    const wrong = yield* Effect.flip(originalsWith(one, endpoint))
    assert.include(String(wrong.message), "S3_ENDPOINT")
    assert.notInclude(String(wrong.message), "hidden")
  })
)

it.live("services over one data folder have caches of their own, and one that starts anew takes one that is free", () =>
  Effect.gen(function* () {
    const { one } = yield* folders
    const env = {
      BLOBS: "s3://bucket",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      S3_ENDPOINT: "http://127.0.0.1:1"
    }
    const caches = () => readdirSync(join(one, "cache")).toSorted()
    yield* Effect.scoped(originalsWith(one, env))
    assert.deepStrictEqual(caches(), ["0"])
    // The bucket is away, which is no reason not to start.
    yield* originalsWith(one, env)
    assert.deepStrictEqual(caches(), ["0"])
    yield* originalsWith(one, env)
    assert.deepStrictEqual(caches(), ["0", "1"])
  })
)
