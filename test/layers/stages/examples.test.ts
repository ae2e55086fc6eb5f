import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parsePipelines } from "../../../src/layers/config/PipelinesFile.ts"

const folder = "examples/pipelines"
const files = readdirSync(folder)

describe("The example pipelines", () => {
  it("are those that the docs name", () => {
    const docs = readFileSync("docs/pipelines.md", "utf8")
    for (const file of files) assert.include(docs, `examples/pipelines/${file}`)
    assert.lengthOf(files, 6)
  })

  it.each(files)("have no mistake: %s", (file) => {
    const parsed = parsePipelines(file, readFileSync(`${folder}/${file}`, "utf8"))
    assert.deepStrictEqual(Result.isFailure(parsed) ? parsed.failure.mistakes : [], [])
  })
})
