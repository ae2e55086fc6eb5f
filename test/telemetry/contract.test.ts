import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import * as Telemetry from "../../src/observability/Telemetry.ts"
import { metricRows, metrics, spanRows } from "../support/telemetryTable.ts"

const documented = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8").split("\n")
const section = (title: string) => {
  const start = documented.indexOf(`## ${title}`) + 1
  const end = documented.findIndex((line, index) => index > start && line.startsWith("## "))
  return documented.slice(start, end < 0 ? undefined : end).filter((line) => line.startsWith("| `"))
}

const source = new URL("../../src/", import.meta.url)
const sources = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(new URL(path, source), "utf8"))

const spansOf = (files: ReadonlyArray<string>) =>
  files.flatMap((text) =>
    [
      ...text.matchAll(/\b(?:Effect\.fn|withSpan|useSpan|makeSpan\w*|TraceContext\.(?:past|traced))\(\s*"([^"]+)"/g)
    ].map(([, name = ""]) => name)
  )

describe("the telemetry contract", () => {
  it("documents every metric, and no metric that does not exist", () => {
    assert.deepStrictEqual(section("Metrics").toSorted(), metricRows)
  })

  it("documents every span, and no span that does not exist", () => {
    assert.deepStrictEqual(section("Spans").toSorted(), spanRows)
  })

  it("lists every span that the engine makes", () => {
    const listed = Object.keys(Telemetry.spans)
    const covered = (name: string) => listed.includes(name) || listed.includes(name.replace(/\..*/, ".*"))
    assert.deepStrictEqual(
      spansOf(sources).filter((name) => !covered(name)),
      []
    )
  })

  it("names every metric in snake case under one prefix, with its unit last", () => {
    for (const metric of metrics) {
      assert.match(metric.id, /^sluice(_[a-z0-9]+)+$/)
      assert.strictEqual(metric.type === "Counter", metric.id.endsWith("_total"), metric.id)
    }
  })

  it("uses each name for one kind of metric only", () => {
    const kinds = new Map(metrics.map((metric) => [metric.id, metric.type]))
    for (const metric of metrics) assert.strictEqual(metric.type, kinds.get(metric.id))
  })

  it.effect("counts each label value in a series of its own", () =>
    Effect.gen(function* () {
      yield* Metric.update(Telemetry.pagesRead.of("ok"), 2)
      yield* Metric.update(Telemetry.pagesRead.of("failed"), 1)
      const ok = yield* Metric.value(Telemetry.pagesRead.of("ok"))
      const failed = yield* Metric.value(Telemetry.pagesRead.of("failed"))
      assert.strictEqual(ok.count, 2)
      assert.strictEqual(failed.count, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it("builds a labelled series once", () => {
    assert.strictEqual(Telemetry.gateWait.of("page"), Telemetry.gateWait.of("page"))
  })

  it("leaves the attempt out of the attributes of a document that has none yet", () => {
    const subject = {
      tenantId: TenantId.make("acme"),
      documentId: DocumentId.make("019ab000-0000-7000-8000-000000000001")
    }
    assert.deepStrictEqual(Object.keys(Telemetry.documentAttributes(subject)), ["tenant.id", "document.id"])
    assert.strictEqual(Telemetry.documentAttributes({ ...subject, attempt: 2 })["document.attempt"], 2)
  })
})
