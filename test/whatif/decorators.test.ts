// The services keep every promise of theirs when the recorder stands around them.
import { join } from "node:path"
import { assert, describe, it, layer as sharing } from "@effect/vitest"
import { ByteSize, Effect, Layer } from "effect"
import * as SqliteStore from "../../src/layers/sqlite/SqliteStore.ts"
import * as SqliteTenantRegistry from "../../src/layers/sqlite/SqliteTenantRegistry.ts"
import { decorate } from "../../src/layers/recorder/Decorate.ts"
import * as Trace from "../../src/layers/recorder/WorkloadRecorder.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { makeScriptedEngine, type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { failure } from "../../src/domain/Failure.ts"
import { type TenantOverrides, TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { storeConformance } from "../conformance/store.ts"
import { pdfEngineConformance } from "../conformance/pdfEngine.ts"
import { tenantRegistryConformance } from "../conformance/tenantRegistry.ts"
import { inMemory, pdfOf } from "../layers/pdf/engine.ts"
import { temporaryFolder } from "./recording.ts"

const noPdf: ScriptedDocument = {
  ...soundDocument(1),
  open: () => ({ _tag: "Unreadable", failure: failure("NOT_PDF", "The file has no %PDF header.") })
}
const documents = new Map<string, ScriptedDocument>([["unreadable", noPdf]])
const nothing = inMemory(new Uint8Array())
const sound = (key: string, pages: number) => {
  documents.set(key, soundDocument(pages))
  return pdfOf(key, nothing)
}
const reader = makeScriptedEngine((pdf) => documents.get(pdf.key) ?? noPdf).layer

const inMemoryOnly = (overrides: TenantOverrides) =>
  Layer.mergeAll(StoreMemory.layerMemory, TenantRegistry.layer(overrides), reader)

const onSqlite = (overrides: TenantOverrides) =>
  Layer.unwrap(
    Effect.map(temporaryFolder, (folder) =>
      SqliteTenantRegistry.layerNoDeps(overrides).pipe(
        Layer.provideMerge(SqliteStore.layerNoDeps),
        Layer.provide(SqliteStore.layerDatabase({ filename: join(folder, "documents.db") })),
        Layer.merge(reader)
      )
    )
  )

const recorded = <E, R>(services: Layer.Layer<Layer.Success<ReturnType<typeof inMemoryOnly>>, E, R>) =>
  Layer.unwrap(
    Effect.map(temporaryFolder, (folder) =>
      Layer.provideMerge(Trace.layerTo({ file: join(folder, "trace.ndjson"), limit: ByteSize.mebibytes(64) }), services)
    )
  )

for (const [where, services] of [
  ["in memory", inMemoryOnly],
  ["on SQLite", onSqlite]
] as const) {
  storeConformance(
    `The recorded document store ${where}`,
    recorded(services({})).pipe(Layer.provide(EngineConfig.layer()))
  )
  tenantRegistryConformance(`The recorded tenant registry ${where}`, (overrides) => recorded(services(overrides)))
}

sharing(recorded(inMemoryOnly({})).pipe(Layer.provide(EngineConfig.layer())))("The recorded engine", (it) => {
  pdfEngineConformance(it, { document: sound, unreadable: (key) => pdfOf(key, nothing) })
})

describe("A decorated method", () => {
  it.effect("is called with all that its caller gave, and the others as before", () =>
    Effect.gen(function* () {
      const service = {
        name: "plain",
        sum: (first: number, second = 0, third = 0) => Effect.succeed(first + second + third),
        twice: (number: number) => Effect.succeed(2 * number)
      }
      const seen: Array<number> = []
      const decorated = decorate(service, {
        sum: (summing, first) => Effect.tap(summing, (sum) => Effect.sync(() => seen.push(first, sum)))
      })
      assert.strictEqual(yield* decorated.sum(1, 2, 3), 6)
      assert.deepStrictEqual(seen, [1, 6])
      assert.strictEqual(yield* decorated.twice(4), 8)
      assert.strictEqual(decorated.name, "plain")
    })
  )
})
