import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import { PipelineName, StageName, StageVersion } from "../../../src/domain/pipeline/Pipeline.ts"
import { layer, makePipelines, type PipelineDeclaration } from "../../../src/services/pipelines/PipelineDeclarations.ts"
import { Pipelines } from "../../../src/services/pipelines/Pipelines.ts"
import type { DocumentStage, PageStage, SourceStage, Stage } from "../../../src/services/pipelines/Stage.ts"

const content = { mediaType: "text/plain", bytes: new Uint8Array() }
const named = (name: string, needs: ReadonlyArray<string> = []) => ({
  name: StageName.make(name, { disableChecks: true }),
  version: StageVersion.make("1"),
  needs: needs.map((need) => StageName.make(need))
})
const source = (name: string): SourceStage => ({
  ...named(name),
  kind: "source",
  accepts: () => true,
  run: () => Effect.succeed({ pdf: new Uint8Array() })
})
const page = (name: string, needs?: ReadonlyArray<string>): PageStage => ({
  ...named(name, needs),
  kind: "page",
  provides: "artifact",
  run: () => Effect.succeed({ content })
})
const whole = (name: string, needs?: ReadonlyArray<string>): DocumentStage => ({
  ...named(name, needs),
  kind: "document",
  run: () => Effect.succeed({ content })
})

const stages = [source("office"), source("latex"), page("ocr"), page("tables", ["ocr"]), whole("summary", ["tables"])]
const pipeline = (name: string, ...steps: PipelineDeclaration["steps"]): PipelineDeclaration => ({ name, steps })
const mistakes = (declared: ReadonlyArray<PipelineDeclaration>, of: ReadonlyArray<Stage> = stages) =>
  Result.match(makePipelines(of, declared), {
    onSuccess: () => [],
    onFailure: (invalid) => invalid.mistakes.map(({ message, path }) => `${path.join(".")}: ${message}`)
  })
const first = "pipelines.0"

describe("the declarations of pipelines", () => {
  it("make pipelines with their stages by kind, in order, beside the one that only reads", () => {
    const made = makePipelines(stages, [
      pipeline(
        "office",
        { stage: "office" },
        { stage: "ocr", pages: "scanned" },
        { stage: "tables", optional: true },
        { stage: "summary" }
      )
    ])
    const { all, find, stages: known } = Result.getOrThrow(made)
    assert.deepStrictEqual(
      all.map(({ name }) => name),
      ["text", "office"]
    )
    const office = Option.getOrThrow(find(PipelineName.make("office")))
    assert.strictEqual(office.source?.stage.name, "office")
    assert.deepStrictEqual(
      office.pages.map(({ optional, pages, stage }) => [stage.name, pages, optional]),
      [
        ["ocr", "scanned", false],
        ["tables", "all", true]
      ]
    )
    assert.deepStrictEqual(
      office.document.map(({ stage }) => stage.name),
      ["summary"]
    )
    assert.isTrue(Option.isNone(find(PipelineName.make("other"))))
    assert.strictEqual(known, stages)
  })

  it.each([
    ["a stage that does not exist", pipeline("p", { stage: "no" }), [`${first}.steps.0.stage: there is no stage "no"`]],
    [
      "a need that is not met before",
      pipeline("p", { stage: "tables" }, { stage: "ocr" }),
      [`${first}.steps.0.stage: tables needs ocr before it`]
    ],
    [
      "two source stages",
      pipeline("p", { stage: "office" }, { stage: "latex" }),
      [`${first}.steps.1.stage: latex: a source stage is the first step, and there is only one`]
    ],
    [
      "a source stage behind others",
      pipeline("p", { stage: "ocr" }, { stage: "latex" }),
      [`${first}.steps.1.stage: latex: a source stage is the first step, and there is only one`]
    ],
    [
      "a document stage before a page stage",
      pipeline("p", { stage: "ocr" }, { stage: "tables" }, { stage: "summary" }, { stage: "ocr" }),
      [`${first}.steps.3.stage: ocr is there twice`]
    ],
    [
      "the reserved name",
      pipeline("text", { stage: "ocr" }),
      [`${first}.name: text is the pipeline that only reads; choose another name`]
    ],
    ["no name", pipeline("Über", { stage: "ocr" }), [`${first}.name: "Über" is no name of a pipeline`]],
    [
      "pages of a source stage",
      pipeline("p", { stage: "office", pages: "all" }),
      [`${first}.steps.0.pages: office works on the file, not on pages`]
    ],
    [
      "an optional source stage",
      pipeline("p", { stage: "office", optional: true }),
      [`${first}.steps.0.optional: without office there is nothing to read`]
    ]
  ] as const)("refuse %s", (_, declared, expected) => {
    assert.deepStrictEqual(mistakes([declared]), [...expected])
  })

  it("refuse page stages behind document stages", () => {
    const free = [page("ocr"), whole("count")]
    assert.deepStrictEqual(mistakes([pipeline("p", { stage: "count" }, { stage: "ocr" })], free), [
      `${first}.steps.1.stage: ocr: page stages come before document stages`
    ])
  })

  it("tell every mistake at once, also of stages", () => {
    assert.deepStrictEqual(
      mistakes(
        [pipeline("p", { stage: "no" }), pipeline("p", { stage: "ocr" })],
        [page("text"), page("ocr"), page("ocr"), page("A b")]
      ),
      [
        "stages.0.name: text is the reading of pages itself",
        "stages.2.name: there are two stages ocr",
        'stages.3.name: "A b" is no name of a stage',
        `${first}.steps.0.stage: there is no stage "no"`,
        "pipelines.1.name: there are two pipelines p"
      ]
    )
  })

  it("refuse a default that is not declared, and tell the one that is", () => {
    const scans = [pipeline("scans", { stage: "ocr" })]
    const made = makePipelines(stages, scans, PipelineName.make("scans"))
    assert.strictEqual(Result.getOrThrow(made).default, "scans")
    assert.strictEqual(Result.getOrThrow(makePipelines(stages, scans)).default, "text")
    const refused = Result.flip(makePipelines(stages, scans, PipelineName.make("other")))
    assert.deepStrictEqual(Result.getOrThrow(refused).mistakes, [
      { path: ["default"], message: 'there is no pipeline "other"' }
    ])
  })

  it("take the reading of pages as a need that is always met", () => {
    assert.deepStrictEqual(mistakes([pipeline("p", { stage: "a" })], [page("a", ["text"])]), [])
  })

  it.effect("are the service that a layer of them provides; without a layer there is only text", () =>
    Effect.gen(function* () {
      const names = Effect.map(Pipelines, ({ all }) => all.map(({ name }) => name))
      assert.deepStrictEqual<ReadonlyArray<string>>(yield* names, ["text"])
      const given = layer(stages, [pipeline("scans", { stage: "ocr", pages: "scanned" })])
      assert.deepStrictEqual<ReadonlyArray<string>>(yield* Effect.provide(names, given), ["text", "scans"])
      const refused = yield* Effect.flip(Effect.provide(names, layer(stages, [pipeline("p", { stage: "x" })])))
      assert.strictEqual(refused.message, 'pipelines.0.steps.0.stage: there is no stage "x"')
    })
  )
})
