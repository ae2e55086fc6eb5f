import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parsePipelines, pipelinesSchema } from "../../../src/layers/config/PipelinesFile.ts"

const mistakesOf = (text: string) =>
  Result.match(parsePipelines("pipelines.json", text), {
    onFailure: ({ mistakes }) => mistakes,
    onSuccess: () => ["none"]
  })

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
