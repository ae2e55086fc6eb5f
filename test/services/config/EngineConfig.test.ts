import { assert, describe, it } from "@effect/vitest"
import { ByteSize, ConfigProvider, Duration, Effect } from "effect"
import { defaultLimits, EngineConfig } from "../../../src/services/config/EngineConfig.ts"

const read = (env: Record<string, string>) =>
  EngineConfig.pipe(
    Effect.provide(EngineConfig.layerFromEnv),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
  )

describe("EngineConfig", () => {
  it.effect("has a default for everything", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), defaultLimits)
    })
  )

  it.effect("reads durations and sizes as people write them", () =>
    Effect.gen(function* () {
      const config = yield* read({ PAGE_TIMEOUT: "1500ms", DOCUMENT_TIMEOUT: "5 minutes", MAX_UPLOAD_SIZE: "10MB" })
      assert.strictEqual(Duration.toMillis(config.pageTimeout), 1500)
      assert.strictEqual(Duration.toMinutes(config.documentTimeout), 5)
      assert.strictEqual(ByteSize.toNumberUnsafe(config.uploadSize), 10_000_000)
      assert.strictEqual(ByteSize.toNumberUnsafe((yield* read({ MAX_UPLOAD_SIZE: "1048576" })).uploadSize), 1_048_576)
      assert.strictEqual(ByteSize.toNumberUnsafe((yield* read({ MAX_UPLOAD_SIZE: "2gib" })).uploadSize), 2 ** 31)
    })
  )

  it.effect("takes MAX_CONCURRENT_JOBS for the global limit unless that is set itself", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read({ MAX_CONCURRENT_JOBS: "3" })).globalDocuments, 3)
      const both = yield* read({ MAX_CONCURRENT_JOBS: "3", GLOBAL_PDF_CONCURRENCY: "4" })
      assert.strictEqual(both.globalDocuments, 4)
    })
  )

  it.effect("gives one tenant half of the bytes in flight unless it is told otherwise", () =>
    Effect.gen(function* () {
      const half = yield* read({ MAX_BYTES_IN_FLIGHT: "10MB" })
      assert.strictEqual(ByteSize.toNumberUnsafe(half.bytesInFlight), 10_000_000)
      assert.strictEqual(ByteSize.toNumberUnsafe(half.tenantBytesInFlight), 5_000_000)
      const own = yield* read({ PER_TENANT_BYTES_IN_FLIGHT: "1MB" })
      assert.strictEqual(ByteSize.toNumberUnsafe(own.tenantBytesInFlight), 1_000_000)
    })
  )

  for (const [name, value] of [
    ["GLOBAL_PDF_CONCURRENCY", "0"],
    ["MAX_CONCURRENT_JOBS", "many"],
    ["PER_TENANT_PDF_CONCURRENCY", "-1"],
    ["QUEUE_MAXSIZE", "lots"],
    ["MAX_UPLOAD_SIZE", "12 parsecs"],
    ["MAX_BYTES_IN_FLIGHT", "0"],
    ["PER_TENANT_BYTES_IN_FLIGHT", "half"],
    ["MAX_PAGES", "0x10z"],
    ["PAGE_TIMEOUT", "30"],
    ["DOCUMENT_TIMEOUT", "0s"],
    ["SHUTDOWN_GRACE", "soon"]
  ] as const) {
    it.effect(`refuses ${name}="${value}" by name`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(read({ [name]: value }))
        assert.include(String(error), name)
      })
    )
  }
})
