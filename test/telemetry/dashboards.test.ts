import { execFileSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
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
    try {
      execFileSync("promtool", ["--version"])
    } catch {
      return test.skip("promtool is not installed")
    }
    assert.include(
      execFileSync("promtool", ["check", "rules", `${folder}/alerts.yml`], { encoding: "utf8" }),
      "SUCCESS"
    )
  })
})
