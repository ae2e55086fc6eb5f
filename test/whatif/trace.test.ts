import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import { parseSettings } from "../../bench/whatif/Settings.ts"
import { readTrace } from "../../bench/whatif/TraceFile.ts"
import { workloadOf } from "../../bench/whatif/Workload.ts"
import * as Trace from "../../src/layers/recorder/WorkloadRecorder.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { PdfEngine } from "../../src/services/PdfEngine.ts"
import { makeScriptedEngine, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { gold, iron, recordRun, temporaryFolder } from "./recording.ts"

const scripts = { sound: soundDocument(3, "10 millis") }
const plans = [
  { at: 0, tenant: gold, script: "sound" },
  { at: 5, tenant: iron, script: "sound" }
]

const recordedFile = Effect.gen(function* () {
  const file = join(yield* temporaryFolder, "trace.ndjson")
  yield* recordRun({ file, scripts, plans })
  return file
})

const services = Layer.mergeAll(
  StoreMemory.layerMemory,
  makeScriptedEngine(() => soundDocument(1)).layer,
  TenantRegistry.layer()
).pipe(Layer.provideMerge(EngineConfig.layer()))

describe("the recorder", () => {
  it.effect("is there only if TRACE_FILE says where to", () =>
    Effect.gen(function* () {
      const plain = yield* Layer.build(services)
      const built = (env: Record<string, string>) =>
        Layer.build(Trace.layer).pipe(
          Effect.provideContext(plain),
          Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
        )
      const off = yield* built({})
      const on = yield* built({ TRACE_FILE: join(yield* temporaryFolder, "trace.ndjson"), TRACE_LIMIT: "1MiB" })
      for (const of of [
        (context: typeof plain) => Context.get(context, DocumentQueue),
        (context: typeof plain) => Context.get(context, Documents),
        (context: typeof plain) => Context.get(context, PdfEngine),
        (context: typeof plain) => Context.get(context, TenantRegistry)
      ]) {
        assert.strictEqual(of(Context.merge(plain, off)), of(plain))
        assert.notStrictEqual(of(Context.merge(plain, on)), of(plain))
      }
    })
  )

  it.effect("writes down what comes and what it costs, and neither names nor ids", () =>
    Effect.gen(function* () {
      const text = readFileSync(yield* recordedFile, "utf8")
      assert.notInclude(text, "confidential")
      assert.notMatch(text, /[0-9a-f]{8}-[0-9a-f]{4}-/)
      const tags = text
        .trim()
        .split("\n")
        .map((line) => /"_tag":"(\w+)"/.exec(line)?.[1])
      assert.strictEqual(tags[0], "Trace")
      for (const [tag, times] of [
        ["Tenant", 2],
        ["Accepted", 2],
        ["Started", 2],
        ["Opened", 2],
        ["Ended", 2]
      ] as const) {
        assert.strictEqual(tags.filter((each) => each === tag).length, times, tag)
      }
    })
  )

  it.effect("begins a recording of its own in a file that is there", () =>
    Effect.gen(function* () {
      const file = yield* recordedFile
      appendFileSync(file, `{"_tag":"Read","at":`)
      yield* recordRun({ file, scripts, plans })
      const [first, second, ...more] = yield* readTrace(file)
      assert.deepStrictEqual(more, [])
      assert.isTrue(first?.torn)
      assert.isFalse(second?.torn)
      assert.strictEqual(first?.records.length, second?.records.length)
    })
  )

  for (const [what, fileOf, bytes] of [
    ["cannot be opened", (folder: string) => join(folder, "missing", "trace.ndjson"), 1_000_000],
    ["may not grow any more", (folder: string) => join(folder, "trace.ndjson"), 10]
  ] as const) {
    it.effect(`lets the engine go on when the file ${what}`, () =>
      Effect.gen(function* () {
        const file = fileOf(yield* temporaryFolder)
        const { statuses } = yield* recordRun({ file, scripts, plans, bytes })
        assert.deepStrictEqual(statuses, ["completed", "completed"])
      })
    )
  }
})

describe("a trace", () => {
  it.effect("with a broken line is refused with its number", () =>
    Effect.gen(function* () {
      const file = yield* recordedFile
      const lines = readFileSync(file, "utf8").split("\n")
      for (const broken of [`{"_tag":"Read"`, `{"_tag":"Ended","at":1,"document":"nobody","status":"completed"}`]) {
        writeFileSync(file, lines.with(3, broken).join("\n"))
        const error = yield* Effect.flip(readTrace(file))
        assert.strictEqual(error._tag, "TraceBroken")
        assert.include(error.message, "line 4 of")
      }
      writeFileSync(file, lines.slice(1).join("\n"))
      assert.include((yield* Effect.flip(readTrace(file))).message, "line 1 of")
    })
  )

  it.effect("of a newer version, and one that is not there, are refused as such", () =>
    Effect.gen(function* () {
      const file = yield* recordedFile
      writeFileSync(file, readFileSync(file, "utf8").replace(`"format":1`, `"format":2`))
      const error = yield* Effect.flip(readTrace(file))
      assert.strictEqual(error._tag, "TraceTooNew")
      assert.include(error.message, "format 2")
      assert.strictEqual((yield* Effect.flip(readTrace(`${file}.missing`)))._tag, "TraceUnreadable")
    })
  )

  it.effect("tells which settings there are", () =>
    Effect.gen(function* () {
      const [recording] = yield* readTrace(yield* recordedFile)
      if (recording === undefined) return yield* Effect.die("there is no recording")
      const workload = workloadOf(recording)
      for (const [setting, said] of [
        ["silver.weight=2", "there is no tenant silver in the trace, but gold, iron.v2"],
        ["gold.wieght=2", "a tenant has documents, weight"],
        ["gold.weight=0", "weight"],
        ["gold.documents=1.5", "documents"],
        ["colour=2", "the engine has workers, documents, backlog"],
        ["workers=none", "none is no value"],
        ["workers", "write NAME.field=value"]
      ] as const) {
        const error = yield* Effect.flip(parseSettings([setting], workload))
        assert.include(error.message, `--set ${setting}: `)
        assert.include(error.message, said)
      }
      const settings = yield* parseSettings(["iron.v2.weight=2", "tenant.gold.documents=3", "workers=4"], workload)
      assert.deepStrictEqual(
        [...settings.tenants],
        [
          [iron, { weight: 2 }],
          [gold, { documents: 3 }]
        ]
      )
      assert.strictEqual(settings.workers, 4)
    })
  )
})
