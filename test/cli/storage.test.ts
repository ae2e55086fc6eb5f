import { rmSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import * as Engine from "../../src/layers/Engine.ts"
import { BlobStore } from "../../src/services/BlobStore.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { blobsBelow, temporaryFolder } from "../support/service.ts"
import { sluice } from "./harness.ts"

const storageIn = (directory: string) =>
  Engine.layerStorage.pipe(
    Layer.provide(EngineConfig.layer()),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ DATA_DIR: directory })))
  )

const starts = (directory: string) => Effect.scoped(Effect.asVoid(Layer.build(Layer.fresh(storageIn(directory)))))

describe("sluice storage", () => {
  it.live("adopts a folder that has lost its database, and discards what it holds only when told twice", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryFolder, "data")
      const env = { DATA_DIR: directory }
      const { hash } = yield* BlobStore.use((blobs) => blobs.put(Stream.make(new Uint8Array(70_000)), 100_000)).pipe(
        Effect.provide(storageIn(directory))
      )
      rmSync(join(directory, "sluice.db"))
      assert.include((yield* Effect.flip(starts(directory))).message, "sluice storage adopt")
      const told = yield* sluice(["doctor", "--json"], env)
      assert.strictEqual(told.code, 1)
      assert.include(told.out, "sluice.db is missing or empty, and blobs holds the originals")

      const adopted = yield* sluice(["storage", "adopt", "--json"], env)
      assert.deepStrictEqual([adopted.code, JSON.parse(adopted.out)], [0, { known: 0, unknown: 1 }])
      yield* starts(directory)
      assert.include(blobsBelow(directory).join(), hash)

      const asked = yield* sluice(["storage", "discard"], env)
      assert.deepStrictEqual([asked.code, blobsBelow(directory).length], [2, 1])
      const discarded = yield* sluice(["storage", "discard", "--yes", "--json"], env)
      assert.deepStrictEqual([discarded.code, JSON.parse(discarded.out)], [0, { removed: 1, bytes: 70_000 }])
      assert.deepStrictEqual(blobsBelow(directory), [])
      yield* starts(directory)
    })
  )

  it.live("touches nothing while a server works in the folder", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryFolder, "data")
      yield* Effect.gen(function* () {
        const { code, err } = yield* sluice(["storage", "adopt"], { DATA_DIR: directory })
        assert.strictEqual(code, 1)
        assert.include(err, "another Sluice works in it")
      }).pipe(Effect.provide(storageIn(directory)))
    })
  )
})
