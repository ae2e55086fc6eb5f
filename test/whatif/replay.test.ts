import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { measuredOf } from "../../bench/whatif/Measured.ts"
import { replay } from "../../bench/whatif/Replay.ts"
import { asRecorded, parseSettings } from "../../bench/whatif/Settings.ts"
import { readTrace } from "../../bench/whatif/TraceFile.ts"
import { workloadOf } from "../../bench/whatif/Workload.ts"
import { failure } from "../../src/domain/Failure.ts"
import { type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { gold, iron, type Plan, recordRun, type RunOptions, temporaryFolder } from "./recording.ts"

const document = (pages: number, millis: (page: number) => number): ScriptedDocument => ({
  ...soundDocument(pages),
  open: () => ({ _tag: "Opens", pageCount: pages, takes: 7.25 }),
  page: (page) => ({ _tag: "Page", takes: millis(page) })
})

const scripts: Record<string, ScriptedDocument> = {
  long: document(300, (page) => 4.5 + (page % 7) * 3),
  short: document(2, () => 11),
  heavy: document(40, (page) => 60 + (page % 5) * 20),
  even: document(200, () => 10),
  unreadable: {
    ...soundDocument(1),
    open: () => ({ _tag: "Unreadable", takes: 5, failure: failure("CORRUPT", "no PDF") })
  },
  /** Of its head more is read than would be begun one after another. */
  sideBySide: { ...document(12, () => 9), open: () => ({ _tag: "Opens", pageCount: 12, takes: 6, head: 7 }) },
  fragile: {
    ...document(12, () => 9),
    page: (page, before) => (page === 2 && before === 0 ? { _tag: "Death", takes: 4 } : { _tag: "Page", takes: 9 })
  },
  stalling: {
    ...document(12, () => 9),
    page: (page, before) => (page === 2 && before === 0 ? { _tag: "Hang" } : { _tag: "Page", takes: 9 })
  },
  troubled: {
    ...document(9, () => 12),
    page: (page, before) => {
      if (page === 3) return { _tag: "Failed", takes: 9, error: failure("PAGE_UNREADABLE", "damaged") }
      if (page === 5 && before === 0) return { _tag: "Death", takes: 30 }
      return { _tag: "Page", takes: 12 }
    }
  }
}

/** No two come at the same moment: which of them is first would be left to chance. */
const mixture: ReadonlyArray<Plan> = [
  ...Array.from({ length: 4 }, (_, index) => ({ at: index * 10, tenant: gold, script: "long" })),
  ...Array.from({ length: 6 }, (_, index) => ({
    at: 300 + index * 100,
    tenant: iron,
    script: "heavy",
    priority: index
  })),
  ...Array.from({ length: 20 }, (_, index) => ({ at: 137 + index * 250, tenant: iron, script: "short", priority: 7 })),
  { at: 500, tenant: gold, script: "unreadable" },
  { at: 700, tenant: gold, script: "troubled", priority: 9 },
  { at: 900, tenant: gold, script: "even", cancelAfter: 20_000 },
  { at: 1_100, tenant: iron, script: "sideBySide", priority: 8 },
  { at: 1_320, tenant: gold, script: "fragile", priority: 8 },
  { at: 1_540, tenant: gold, script: "stalling", priority: 8 }
]

const recorded = Effect.fnUntraced(function* (options: Omit<RunOptions, "file" | "scripts">) {
  const file = join(yield* temporaryFolder, "trace.ndjson")
  yield* recordRun({ file, scripts, ...options })
  const [recording] = yield* readTrace(file)
  assert.isDefined(recording)
  if (recording === undefined) return yield* Effect.die("there is no recording")
  const workload = workloadOf(recording)
  return { file, measured: measuredOf(recording, workload), workload }
})

describe("a replay", () => {
  it.effect("reads as many pages with the opening of a file as were read while it was recorded", () =>
    Effect.gen(function* () {
      const plans = [{ at: 0, tenant: gold, script: "sideBySide" }]
      const { file, measured, workload } = yield* recorded({ plans, workers: 1 })
      const [recording] = yield* readTrace(file)
      const opened = recording?.records.find((record) => record._tag === "Opened")
      assert.deepStrictEqual(
        [opened?.millis, opened?.head],
        [6, [1, 2, 3, 4, 5, 6, 7].map((page) => ({ page, millis: 9 }))]
      )
      assert.strictEqual(workload.guessedPages, 0)
      const outcome = yield* replay(workload, asRecorded)
      assert.strictEqual(outcome.makespanSeconds, measured.makespanSeconds)
      assert.deepStrictEqual(
        [outcome.tenants[0]?.pages, outcome.tenants[0]?.firstPage, outcome.workerSeconds],
        [12, measured.tenants[0]?.firstPage, measured.workerSeconds]
      )
    })
  )

  it.effect("of a recorded run comes to the same ends at the same times", () =>
    Effect.gen(function* () {
      const { measured, workload } = yield* recorded({ plans: mixture, tenants: { [gold]: { weight: 2 } } })
      assert.strictEqual(workload.documents.length, mixture.length)
      const outcome = yield* replay(workload, asRecorded)
      const { tenants, ...overall } = measured
      for (const name of ["makespanSeconds", "workerSeconds", "contendedSeconds", "jain"] as const) {
        assert.closeTo(outcome[name] / overall[name], 1, 0.002, name)
      }
      for (const [index, { documents, end, firstPage, pages, share, tenant }] of tenants.entries()) {
        const own = outcome.tenants[index]
        assert.deepStrictEqual([own?.tenant, own?.documents], [tenant, documents])
        assert.closeTo(own?.pages ?? Number.NaN, pages, 20)
        assert.closeTo(own?.share ?? Number.NaN, share ?? Number.NaN, 0.002)
        assert.closeTo((own?.end.p50 ?? Number.NaN) / (end.p50 ?? 1), 1, 0.02)
        assert.closeTo((own?.end.p95 ?? Number.NaN) / (end.p95 ?? 1), 1, 0.02)
        // A page is saved when it is read, and measured when its range was.
        assert.closeTo(own?.firstPage.p50 ?? Number.NaN, firstPage.p50 ?? Number.NaN, 100)
      }
      assert.deepStrictEqual(yield* replay(workload, asRecorded), outcome)
    })
  )

  it.effect("shows the shares that another weight entitles to", () =>
    Effect.gen(function* () {
      const plans = Array.from({ length: 20 }, (_, index) => ({
        at: 0,
        tenant: index % 2 === 0 ? gold : iron,
        script: index % 2 === 0 ? "even" : "heavy"
      }))
      const { workload } = yield* recorded({ plans })
      const goldOf = (outcome: { readonly tenants: ReadonlyArray<{ tenant: string; share: number | undefined }> }) =>
        outcome.tenants.find(({ tenant }) => tenant === gold)?.share ?? Number.NaN
      const before = yield* replay(workload, asRecorded)
      assert.closeTo(goldOf(before), 0.5, 0.02)
      const settings = yield* parseSettings([`${gold}.weight=3`], workload)
      const after = yield* replay(workload, settings)
      assert.closeTo(goldOf(after), 0.75, 0.02)
      assert.isAtLeast(after.jain, 0.99)
      assert.closeTo(after.makespanSeconds, before.makespanSeconds, 0.05 * before.makespanSeconds)
      const twice = yield* replay(workload, yield* parseSettings(["workers=4", "documents=16"], workload))
      assert.closeTo(twice.makespanSeconds / before.makespanSeconds, 0.5, 0.05)
    })
  )

  it.effect("counts what limits refuse, and leaves what a paused tenant has", () =>
    Effect.gen(function* () {
      const plans = Array.from({ length: 10 }, (_, index) => ({
        at: index * 100,
        tenant: index % 2 === 0 ? gold : iron,
        script: "short"
      }))
      const { workload } = yield* recorded({ plans })
      const sets = [`${gold}.rate=1`, `${gold}.burst=1`, `tenant.${iron}.paused=true`]
      const outcome = yield* replay(workload, yield* parseSettings(sets, workload))
      assert.deepStrictEqual(
        outcome.tenants.map(({ documents, refused, tenant, unfinished }) => ({
          documents,
          refused,
          tenant,
          unfinished
        })),
        [
          { tenant: gold, documents: 1, refused: 4, unfinished: 0 },
          { tenant: iron, documents: 0, refused: 0, unfinished: 5 }
        ]
      )
    })
  )

  it.effect("takes a trace whose end is missing", () =>
    Effect.gen(function* () {
      const { file } = yield* recorded({ plans: mixture })
      const lines = readFileSync(file, "utf8").split("\n")
      const half = lines.slice(0, Math.floor(lines.length / 4)).join("\n")
      writeFileSync(file, `${half}\n{"_tag":"Read","at":12`)
      const [recording] = yield* readTrace(file)
      if (recording === undefined) return yield* Effect.die("there is no recording")
      const workload = workloadOf(recording)
      assert.isTrue(workload.torn)
      assert.isAbove(workload.withoutCosts, 0)
      assert.isAbove(workload.guessedPages, 0)
      assert.isAbove(measuredOf(recording, workload).unfinished, 0)
      const outcome = yield* replay(workload, asRecorded)
      assert.strictEqual(outcome.unfinished, 0)
      assert.isAbove(outcome.makespanSeconds, 0)
    })
  )
})
