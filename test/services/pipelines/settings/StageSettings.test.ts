import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { DownstreamsRecord } from "../../../../src/services/downstreams/DownstreamSettings.ts"
import { stageMistakes, withOwnDownstreams } from "../../../../src/services/pipelines/settings/StageDownstreams.ts"
import { StagesRecord } from "../../../../src/services/pipelines/settings/StageSettings.ts"

const decode = Schema.decodeUnknownResult(StagesRecord, { onExcessProperty: "error", errors: "all" })
const stages = (written: unknown) => Result.getOrThrow(decode(written))
const downstreams = Schema.decodeUnknownSync(DownstreamsRecord)
const mistake = (written: unknown) =>
  Result.match(decode(written), { onSuccess: () => "none", onFailure: ({ message }) => message })

const http = { type: "http", kind: "page", downstream: "llm", send: "text", answer: "text" }
const command = {
  type: "command",
  kind: "page",
  run: ["cat"],
  send: "text",
  answer: "text"
}

describe("Settings of stages", () => {
  it("have defaults for what they do not say", () => {
    const { ask, make } = stages({ ask: http, make: command }) as Record<string, unknown>
    assert.deepInclude(ask, { version: "1", needs: [], provides: "artifact", method: "POST", maxSent: 64 * 1024 ** 2 })
    assert.deepInclude(make, {
      input: "stdin",
      output: "stdout",
      limits: {
        cpu: 60_000,
        memory: 1024 ** 3,
        fileSize: 256 * 1024 ** 2,
        disk: 1024 ** 3,
        processes: 64,
        output: 64 * 1024 ** 2
      },
      sandbox: "auto",
      exitCodes: [0],
      environment: {}
    })
  })

  it.each([
    ["a name that is not known", { ask: { ...http, sent: 1 } }, /sent/],
    ["a type that is not known", { ask: { ...http, type: "grpc" } }, /type` is http/],
    [
      "a placeholder that is not known",
      { ask: { ...http, send: { json: { a: ["{{txt}}"] } } } },
      /{{txt}} is not known/
    ],
    ["an image of a document", { ask: { ...http, kind: "document", send: "image" } }, /a document stage has no image/],
    [
      "the text of a file that is none yet",
      { ask: { ...http, kind: "source", send: "text" } },
      /a source stage has no text/
    ],
    [
      "a document stage that provides text",
      { ask: { ...http, kind: "document", provides: "text" } },
      /only a page stage/
    ],
    ["a pointer into a text", { ask: { ...http, pick: "/a" } }, /only of an answer in JSON/],
    ["a source stage without files", { ask: { ...http, kind: "source", send: "file", answer: "pdf" } }, /accepts/],
    ["a text as an argument", { make: { ...command, run: ["echo", "{{text}}"] } }, /{{text}} is no argument: {{name}}/],
    ["an input outside of the directory", { make: { ...command, input: { file: "../a" } } }, /a file's name/],
    ["the name of the reading", { text: http }, /the reading of pages/],
    [
      "a target that could leave its folder",
      { out: { type: "target", to: "/o", files: [{ path: "../{id}", content: "text" }] } },
      /plain segments/
    ],
    [
      "a target whose documents overwrite each other",
      { out: { type: "target", to: "/o", files: [{ path: "{tenant}", content: "text" }] } },
      /{id} in it/
    ],
    [
      "a target in a folder of no known place",
      { out: { type: "target", to: "o", files: [{ path: "{id}", content: "text" }] } },
      /absolute path/
    ]
  ])("refuse %s", (_, written, expected) => {
    assert.match(mistake(written), expected)
  })

  it("tell downstreams and stages that are not there", () => {
    const given = stages({ ask: { ...http, needs: ["first"] }, other: { ...http, downstream: "mail" } })
    assert.deepStrictEqual(stageMistakes(given, downstreams({ mail: {} })), [
      { path: ["ask", "downstream"], issue: "there is no downstream llm" },
      { path: ["ask", "needs", "0"], issue: "there is no stage first" },
      { path: ["other", "downstream"], issue: "the downstream mail has no url" }
    ])
  })

  it("give a command and a target a downstream of their own, unless it is declared", () => {
    const target = { type: "target", to: "/out", files: [{ path: "{id}.md", content: "markdown" }] }
    const given = stages({ make: command, out: target, shared: { ...command, downstream: "tools" } })
    const all = withOwnDownstreams(given, downstreams({ tools: { concurrency: 2 }, out: { concurrency: 9 } }))
    assert.deepStrictEqual(
      Object.fromEntries(Object.entries(all).map(([name, { concurrency }]) => [name, concurrency])),
      { tools: 2, out: 9, make: 1 }
    )
  })
})
