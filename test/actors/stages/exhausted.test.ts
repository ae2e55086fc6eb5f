import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PipelineName } from "../../../src/domain/pipeline/Pipeline.ts"
import { FarSideRefused, FarSideTimeout, FarSideUnavailable } from "../../../src/services/downstreams/Downstreams.ts"
import type { Stage } from "../../../src/services/pipelines/Stage.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, startEngine, until } from "../../support/engine.ts"
import { FarSide, pageStage, readingStage, scannedDocument } from "../../support/stages.ts"
import type { DownstreamsWritten } from "../../../src/services/downstreams/DownstreamSettings.ts"
import type { PipelineDeclaration } from "../../../src/services/pipelines/PipelineDeclarations.ts"

const pipeline = PipelineName.make("p")
const all = { limit: 1_000 }
const retry = { times: 1, first: "10 millis" } as const
const down = () => new FarSideUnavailable({ detail: "no connection" })

const ended = Effect.fnUntraced(function* (
  stages: ReadonlyArray<Stage>,
  far: DownstreamsWritten[string],
  steps: PipelineDeclaration["steps"] = [{ stage: "tables" }],
  pages = soundDocument(2)
) {
  const engine = yield* startEngine({
    scripts: { a: pages },
    stages,
    pipelines: [{ name: "p", steps }],
    downstreams: { far: { retry, breaker: false, ...far }, cheap: {}, other: { onExhausted: "use:tables" } }
  })
  const { id } = yield* engine.submit("a", acme, { pipeline })
  const document = yield* engine.awaitEnd(id, acme, "250 millis")
  const artifacts = yield* engine.ingestion.artifacts(acme, id, all)
  return { engine, id, document, artifacts }
})

const briefly = ({ artifacts }: Effect.Success<ReturnType<typeof ended>>) =>
  artifacts.map(({ error, page, status }) => [page, status, error?.code])

describe("a downstream that cannot be used", () => {
  it.effect("costs a page none of its tries, however often it refuses, and is asked again as long as it takes", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", (_, before) =>
        before < 20 ? new FarSideRefused({ status: 429, retryAfterMillis: 500 }) : Effect.void
      )
      const result = yield* ended([pageStage("tables", far)], { onExhausted: "wait" })
      assert.strictEqual(result.document.status, "completed")
      assert.isAbove(far.asked.length, 40)
    })
  )

  it.effect("with `wait` is asked again after it was away, too", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", (_, before) => (before < 12 ? down() : Effect.void))
      const result = yield* ended([pageStage("tables", far)], {
        onExhausted: "wait",
        breaker: { failures: 2, open: "2s" }
      })
      assert.deepStrictEqual<unknown>(briefly(result), [
        [1, "done", undefined],
        [2, "done", undefined]
      ])
    })
  )

  it.effect("with `skip` is gone without, also by a stage that is required", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", down)
      const result = yield* ended([pageStage("tables", far)], { onExhausted: "skip" })
      assert.strictEqual(result.document.status, "completed")
      assert.deepStrictEqual<unknown>(briefly(result), [
        [1, "skipped", "DOWNSTREAM_UNAVAILABLE"],
        [2, "skipped", "DOWNSTREAM_UNAVAILABLE"]
      ])
    })
  )

  it.effect("with `fail` makes the document partial", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", () => new FarSideRefused({ status: 429 }))
      const result = yield* ended([pageStage("tables", far)], { onExhausted: "fail" })
      assert.strictEqual(result.document.status, "partial")
      assert.deepStrictEqual<unknown>(briefly(result), [
        [1, "failed", "DOWNSTREAM_BUSY"],
        [2, "failed", "DOWNSTREAM_BUSY"]
      ])
    })
  )

  it.effect("with `use:<stage>` is replaced by that stage, and its work stands for the other's", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", down)
      const cheap = new FarSide("10 millis")
      const result = yield* ended(
        [readingStage("ocr", far), readingStage("cheap", cheap, { downstream: "cheap" })],
        { onExhausted: "use:cheap" },
        [{ stage: "ocr", pages: "scanned" }],
        scannedDocument(2)
      )
      assert.strictEqual(result.document.status, "completed")
      assert.deepStrictEqual<unknown>(
        (yield* result.engine.pagesOf(result.id)).map(({ source, text }) => [source, text]),
        [
          ["ocr", "cheap read page 1"],
          ["ocr", "cheap read page 2"]
        ]
      )
      assert.deepStrictEqual<unknown>(briefly(result), [
        [1, "done", undefined],
        [2, "done", undefined]
      ])
      assert.lengthOf(cheap.answered, 2)
    })
  )

  it.effect("with `use:<stage>` fails when there is no such stage, or when that one points back", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", down)
      const none = yield* ended([pageStage("tables", far)], { onExhausted: "use:nothing" })
      assert.deepStrictEqual<unknown>(briefly(none)[0], [1, "failed", "DOWNSTREAM_UNAVAILABLE"])
      const around = yield* ended([pageStage("tables", far), pageStage("round", far, { downstream: "other" })], {
        onExhausted: "use:round"
      })
      assert.deepStrictEqual<unknown>(briefly(around)[0], [1, "failed", "DOWNSTREAM_UNAVAILABLE"])
    })
  )

  it.effect("that is not declared is not waited for", () =>
    Effect.gen(function* () {
      const far = new FarSide()
      const result = yield* ended([pageStage("tables", far, { downstream: "nowhere" })], {})
      assert.deepStrictEqual<unknown>(briefly(result)[0], [1, "failed", "DOWNSTREAM_UNKNOWN"])
    })
  )

  it.effect("that does not answer in time costs a try, because the page may be to blame", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", () => new FarSideTimeout({ detail: "no answer within 1s" }))
      const result = yield* ended([pageStage("tables", far)], {})
      assert.deepStrictEqual<unknown>(briefly(result)[0], [1, "failed", "STAGE_TIMEOUT"])
      assert.lengthOf(far.asked, 6)
    })
  )

  it.effect("is told as what the document waits for", () =>
    Effect.gen(function* () {
      const far = new FarSide("1 minute")
      const engine = yield* startEngine({
        scripts: { a: soundDocument(5) },
        stages: [pageStage("tables", far)],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: { concurrency: 1, maxWait: "1h" } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      const gate = Effect.map(engine.ingestion.status(acme, id), ({ waiting }) => waiting?.gate)
      yield* until(Effect.map(gate, (now) => now === "downstream:far"))
      assert.strictEqual((yield* engine.awaitEnd(id, acme, "10 seconds")).waiting, undefined)
    })
  )
})
