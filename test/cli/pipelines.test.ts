import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { checkPipelines } from "../../src/cli/doctor/Pipelines.ts"
import { makePdf, textPage } from "../support/pdf.ts"
import { sluice } from "./harness.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const written = Effect.fnUntraced(function* (file: unknown) {
  const path = join(yield* folder, "pipelines.json")
  writeFileSync(path, typeof file === "string" ? file : JSON.stringify(file))
  return path
})

/** What doctor says of the file, in this environment. */
const checked = Effect.fnUntraced(function* (file: unknown, env: Readonly<Record<string, string>> = {}) {
  const settings = { PIPELINES_FILE: yield* written(file), ...env }
  return yield* Effect.provide(checkPipelines, ConfigProvider.layer(ConfigProvider.fromEnv({ env: settings })))
})

const command = (run: ReadonlyArray<string>) => ({
  type: "command",
  kind: "page",
  run,
  send: "text",
  input: "stdin",
  output: "stdout",
  answer: "text"
})

describe("doctor", () => {
  it.effect("tells what is wrong with the file of pipelines, and shows no secret", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* checked({}), { state: "ok", detail: "none are declared (PIPELINES_FILE)" })
      const broken = yield* checked(`{\n  "stages": { "a": { "type": "http", "kind": "page" } }\n}`)
      assert.strictEqual(broken.state, "fail")
      assert.include(broken.detail, ", line 2: stages.a.downstream: Missing key")
      const headers = { Authorization: { env: "MODEL_KEY", prefix: "Bearer " } }
      const downstreams = { model: { url: "http://127.0.0.1:1", headers } }
      const secret = yield* checked({ downstreams })
      assert.deepInclude(secret, { state: "fail" })
      assert.include(secret.detail, "MODEL_KEY (downstreams.model.headers.Authorization)")
      const set = yield* checked({ downstreams }, { MODEL_KEY: "s3cret" })
      assert.deepInclude(set, { state: "ok", detail: "1 downstreams, 0 stages, 0 pipelines" })
      const missing = yield* checked({ stages: { a: command(["no-such-program"]) } })
      // A server starts with it.
      assert.strictEqual(missing.state, "warn")
      assert.include(missing.detail, "not installed: no-such-program (stages.a)")
      const standard = yield* checked({}, { PIPELINE: "scans" })
      assert.include(standard.detail, "PIPELINE: there is no pipeline scans")
    }).pipe(Effect.scoped)
  )
})

describe("ingest --local", () => {
  it.live("takes documents through a pipeline of PIPELINES_FILE", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const pdf = join(path, "a.pdf")
      writeFileSync(pdf, makePdf({ pages: [textPage(["plain"])] }))
      const upper = { ...command(["tr", "a-z", "A-Z"]), provides: "text", sandbox: "auto" }
      const env = {
        PIPELINES_FILE: yield* written({ stages: { upper }, pipelines: { shout: ["upper"] } }),
        OCR: "off",
        PAGE_WORKERS: "1"
      }
      const { code, err } = yield* sluice(["ingest", "--local", pdf, "--out", path, "--pipeline", "shout"], env)
      assert.strictEqual(code, 0, err)
      assert.strictEqual(readFileSync(join(path, "a.txt"), "utf8").trim(), "PLAIN")
      const unknown = yield* sluice(["ingest", "--local", pdf, "--out", path, "--pipeline", "nowhere"], env)
      assert.strictEqual(unknown.code, 1)
      assert.include(unknown.out + unknown.err, "PIPELINE_UNKNOWN")
    }).pipe(Effect.scoped)
  )
})
