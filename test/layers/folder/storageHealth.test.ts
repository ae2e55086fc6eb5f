import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as DiskReserve from "../../../src/layers/folder/DiskReserve.ts"
import * as FolderIdentity from "../../../src/layers/sqlite/database/FolderIdentity.ts"
import { SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import { layerDatabase } from "../../../src/layers/sqlite/SqliteStore.ts"
import * as StorageHealthLayer from "../../../src/layers/folder/StorageHealth.ts"
import { StorageHealth } from "../../../src/services/StorageHealth.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-health-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const nothingFound = { mark: undefined, identity: undefined, mismatch: undefined, warning: undefined }

const storage = (directory: string, minFree: ByteSize.ByteSize) =>
  Layer.unwrap(
    Effect.map(DiskReserve.make(directory, minFree), (reserve) =>
      StorageHealthLayer.layer(directory, reserve).pipe(
        Layer.provide(FolderIdentity.layer(directory, nothingFound)),
        Layer.provideMerge(layerDatabase({ filename: join(directory, "sluice.db") }))
      )
    )
  )

const obstacles = Effect.flatMap(StorageHealth, (health) => health.obstacles)

const withStorage = <A, E>(
  minFree: ByteSize.ByteSize,
  body: (directory: string) => Effect.Effect<A, E, SqliteDatabase>
) =>
  Effect.flatMap(temporaryFolder, (directory) => {
    mkdirSync(join(directory, "tmp"))
    return Effect.provide(body(directory), storage(directory, minFree))
  })

describe("The health of the storage", () => {
  it.effect("is found by writing, and holds for five seconds", () =>
    withStorage(ByteSize.mebibytes(1), (directory) =>
      Effect.gen(function* () {
        const database = yield* SqliteDatabase
        const pragma = (value: string) => database.use("test", (db) => db.exec(`PRAGMA query_only = ${value}`))
        assert.deepStrictEqual(yield* obstacles, [])
        yield* pragma("ON")
        renameSync(join(directory, "tmp"), join(directory, "elsewhere"))
        assert.deepStrictEqual(yield* obstacles, [])
        yield* TestClock.adjust("5 seconds")
        const [first, second, ...others] = yield* obstacles
        assert.match(first ?? "", /^the database cannot be written: attempt to write a readonly database/)
        assert.match(second ?? "", /^originals cannot be written: ENOENT/)
        assert.deepStrictEqual(others, [])
        yield* pragma("OFF")
        renameSync(join(directory, "elsewhere"), join(directory, "tmp"))
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* obstacles, [])
      })
    )
  )

  it.effect("is bad while less is free than has to be", () =>
    withStorage(ByteSize.bytes(2 ** 52), () =>
      Effect.gen(function* () {
        const [reason, ...others] = yield* obstacles
        assert.match(reason ?? "", /^the disk is full: \d+ bytes are free/)
        assert.deepStrictEqual(others, [])
        const { checkRoom } = yield* StorageHealth
        assert.strictEqual((yield* Effect.flip(checkRoom(1)))._tag, "StorageFull")
      })
    )
  )
})
