import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { StageName, StageVersion } from "../../../src/domain/pipeline/Pipeline.ts"
import { parsePipelines } from "../../../src/layers/config/PipelinesFile.ts"
import { pipelinesSchema } from "../../../src/layers/config/PipelinesSchema.ts"

const mistakesOf = (text: string) =>
  Result.match(parsePipelines("pipelines.json", text), {
    onFailure: ({ mistakes }) => mistakes,
    onSuccess: () => ["none"]
  })

const ocr = { name: StageName.make("ocr"), version: StageVersion.make("1"), kind: "page", needs: [] } as const
const builtIn = { stages: [ocr], pipelines: [{ name: "ocr", steps: [{ stage: "ocr", pages: "scanned" }] }] } as const

describe("The file of pipelines", () => {
  it("declares downstreams, with defaults for what it does not say", () => {
    const parsed = Result.getOrThrow(
      parsePipelines(
        "p",
        `{ "downstreams": { "ocr": { "concurrency": 4, "maxWait": "90s", "rate": { "calls": 2, "per": "1 minute" } } } }`
      )
    )
    const ocr = Object.values(parsed.downstreams ?? {})[0]
    assert.deepInclude(ocr, {
      concurrency: 4,
      maxWait: 90_000,
      rate: { calls: 2, per: 60_000 },
      onExhausted: "wait",
      breaker: { failures: 5, open: 10_000 },
      timeout: { connect: 5_000, whole: 120_000 }
    })
  })

  it("says every mistake with its line and path, and no value", () => {
    const mistakes = mistakesOf(`{
  "downstreams": {
    "ocr": {
      "concurency": 4,
      "retry": {
        "times": -1
      },
      "maxWait": "soon",
      "headers": { "Authorization": { "env": 7, "secret": "hunter2" } }
    },
    "llm": { "concurrency": 2, "reserve": 2 },
    "WRONG": {}
  }
}`)
    const text = mistakes.join("\n")
    for (const expected of [
      ", line 4: downstreams.ocr.concurency: ",
      ", line 6: downstreams.ocr.retry.times: ",
      ", line 8: downstreams.ocr.maxWait: a positive duration such as 30s or 5 minutes",
      ", line 11: downstreams.llm.reserve: less than the most calls at once, 2",
      ", line 12: downstreams.WRONG: "
    ]) {
      assert.include(text, expected)
    }
    assert.notInclude(text, "hunter2")
  })

  it("declares stages and pipelines, whose steps may be names", () => {
    const text = `{
  "downstreams": { "docling": { "url": "http://docling:5001" } },
  "stages": {
    "hard": {
      "type": "http", "kind": "page", "downstream": "docling", "provides": "text",
      "send": "image", "answer": "markdown", "needs": ["ocr"]
    }
  },
  "pipelines": { "scans": ["ocr", { "stage": "hard", "pages": "warned", "optional": true }] }
}`
    const { pipelines = {}, stages = {} } = Result.getOrThrow(parsePipelines("p", text, builtIn))
    assert.deepInclude(Object.values(stages)[0], { type: "http", version: ocr.version, needs: [ocr.name] })
    const written: unknown = pipelines
    assert.deepStrictEqual(written, {
      scans: ["ocr", { stage: "hard", pages: "warned", optional: true }]
    })
    assert.deepStrictEqual(mistakesOf(text), [
      ", line 6: stages.hard.needs.0: there is no stage ocr",
      `, line 9: pipelines.scans.0.stage: there is no stage "ocr"`,
      ", line 9: pipelines.scans.1.stage: hard needs ocr before it"
    ])
  })

  it("says the mistakes of stages and steps with line and path", () => {
    const text = mistakesOf(`{
  "stages": {
    "one": { "type": "http", "kind": "page", "send": "image", "answer": "json",
      "downstream": "nowhere" },
    "two": { "type": "ftp" },
    "three": { "type": "command", "kind": "page", "run": ["tesseract", "-", "-"], "send": "image",
      "input": "stdin", "output": "stdout", "answer": "text",
      "limts": {} }
  },
  "pipelines": {
    "a": [
      { "stage": "one", "pages": "some" }
    ]
  }
}`).join("\n")
    assert.include(text, ", line 5: stages.two: Expected a stage whose `type` is http, command or target")
    assert.include(text, ", line 8: stages.three.limts: ")
    assert.include(text, ", line 12: pipelines.a.0.pages: ")
    const decoded = mistakesOf(`{
  "stages": {
    "one": { "type": "http", "kind": "page", "send": "image", "answer": "json",
      "downstream": "nowhere" }
  }
}`)
    assert.deepStrictEqual(decoded, [", line 4: stages.one.downstream: there is no downstream nowhere"])
  })

  it("is refused when it is not JSON or has a name twice", () => {
    assert.deepStrictEqual(mistakesOf(`{\n  "downstreams": {,}\n}`), [", line 2: it is not JSON from column 19 on"])
    assert.deepStrictEqual(mistakesOf(`{\n "downstreams": {\n  "a": {},\n  "b": {},\n  "a": {}\n } }`), [
      ", line 5: downstreams.a is there twice"
    ])
  })

  it("has a published schema, which is the code's", () => {
    const published: unknown = JSON.parse(readFileSync("docs/pipelines.schema.json", "utf8"))
    assert.deepStrictEqual(published, JSON.parse(JSON.stringify(pipelinesSchema())))
  })
})
