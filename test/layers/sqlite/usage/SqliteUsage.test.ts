import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { Day, nothingUsed } from "../../../../src/domain/downstream/Usage.ts"
import { TenantId } from "../../../../src/domain/Ids.ts"
import * as SqliteStore from "../../../../src/layers/sqlite/SqliteStore.ts"
import { UsageStore } from "../../../../src/services/downstreams/UsageStore.ts"
import { usageStoreConformance } from "../../../conformance/usageStore.ts"

const temporaryFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped()}/usage.db`
}).pipe(Effect.provide(NodeFileSystem.layer))

const on = (filename: string) => Layer.fresh(SqliteStore.layer({ filename }))

usageStoreConformance("The usage in SQLite", Layer.unwrap(Effect.map(temporaryFile, on)))

describe("The usage in SQLite", () => {
  it.effect("is there when the file is closed and opened again", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const day = Day.make("2026-11-30")
      const row = { ...nothingUsed, tenantId: TenantId.make("acme"), day, resource: "ocr", calls: 2 }
      yield* Effect.provide(
        UsageStore.use((store) => store.add([row])),
        on(filename)
      )
      const read = UsageStore.use((store) => store.sum({ from: day, to: day, by: "tenant", limit: 9 }))
      assert.deepStrictEqual(
        (yield* Effect.provide(read, on(filename))).map(({ calls, key }) => [key, calls]),
        [["acme", 2]]
      )
    })
  )
})
