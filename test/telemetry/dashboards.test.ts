import { execFileSync } from "node:child_process"
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { prometheusNames } from "../support/telemetryTable.ts"

const folder = fileURLToPath(new URL("../../dashboards", import.meta.url))
const files = globSync(["**/*.json", "alerts.yml"], { cwd: folder })
const read = (file: string) => readFileSync(`${folder}/${file}`, "utf8")

const Target = Schema.Struct({ refId: Schema.String, expr: Schema.String })
const Panel = Schema.Struct({
  id: Schema.Int,
  type: Schema.Literals(["row", "timeseries", "stat"]),
  title: Schema.String,
  gridPos: Schema.Struct({ x: Schema.Int, y: Schema.Int, w: Schema.Int, h: Schema.Int }),
  targets: Schema.optionalKey(Schema.NonEmptyArray(Target))
})
const Dashboard = Schema.fromJsonString(
  Schema.Struct({
    uid: Schema.String,
    title: Schema.String,
    schemaVersion: Schema.Int,
    templating: Schema.Struct({ list: Schema.Array(Schema.Struct({ name: Schema.String, type: Schema.String })) }),
    panels: Schema.NonEmptyArray(Panel)
  })
)
const decode = Schema.decodeUnknownSync(Dashboard)

const promtool = (...args: ReadonlyArray<string>) => execFileSync("promtool", args, { encoding: "utf8" })
const hasPromtool = (() => {
  try {
    return promtool("--version") !== ""
  } catch {
    return false
  }
})()

describe("what is drawn from the metrics", () => {
  it("uses no metric that does not exist", () => {
    assert.isAbove(files.length, 1)
    for (const file of files) {
      const used = new Set(read(file).match(/\bsluice_[a-z0-9_]+/g))
      assert.isAbove(used.size, 5, file)
      assert.deepStrictEqual(
        [...used].filter((name) => !prometheusNames.has(name)),
        [],
        file
      )
    }
  })

  it("is a dashboard with a variable for its data source, and panels that do not overlap", () => {
    for (const file of files.filter((file) => file.endsWith(".json"))) {
      const { panels, templating } = decode(read(file))
      assert.deepStrictEqual(
        templating.list.map(({ name, type }) => [name, type]),
        [
          ["datasource", "datasource"],
          ["instance", "query"]
        ]
      )
      assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
      const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`)
      )
      assert.strictEqual(new Set(cells).size, cells.length)
      assert.isTrue(
        panels.every(
          ({ gridPos, targets, type }) => gridPos.x + gridPos.w <= 24 && (type === "row") === (targets === undefined)
        )
      )
    }
  })

  it("has alerts that Prometheus understands", (test) => {
    if (!hasPromtool) return test.skip("promtool is not installed")
    assert.include(promtool("check", "rules", `${folder}/alerts.yml`), "SUCCESS")
  })

  it("draws only what Prometheus can evaluate", (test) => {
    if (!hasPromtool) return test.skip("promtool is not installed")
    const expressions = files
      .filter((file) => file.endsWith(".json"))
      .flatMap((file) => decode(read(file)).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)))
    // An expression is checked as the rule that records it; JSON is YAML.
    const rules = expressions.map((expr, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll(/\$__\w+/g, "5m").replaceAll("$instance", ".*")
    }))
    const path = join(mkdtempSync(join(tmpdir(), "sluice-test-")), "rules.yml")
    try {
      writeFileSync(path, JSON.stringify({ groups: [{ name: "panels", rules }] }))
      assert.include(promtool("check", "rules", path), `${expressions.length} rules found`)
    } finally {
      rmSync(dirname(path), { recursive: true })
    }
  })
})
