import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import type { BlobHash } from "../../../src/domain/Ids.ts"
import { noLines } from "../../../src/domain/document/Page.ts"
import { PipelineName, StageName } from "../../../src/domain/pipeline/Pipeline.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { StageError } from "../../../src/services/pipelines/Stage.ts"
import { acme, startEngine } from "../../support/engine.ts"
import {
  contentOf,
  documentStage,
  FarSide,
  pageStage,
  readingStage,
  running,
  scannedDocument,
  textOf
} from "../../support/stages.ts"

const pipeline = PipelineName.make("p")
const ocr = StageName.make("ocr")
const sorted = (texts: Iterable<string>) => Array.from(texts).toSorted()

describe("what is made again", () => {
  /** OCR that does not work on page 2 at first, and a summary that does not work at first. */
  const halfRead = Effect.fnUntraced(function* (optional: boolean) {
    let works = false
    const far = new FarSide("10 millis", (what) =>
      works || (what !== "ocr 2" && what !== "summary") ? Effect.void : StageError.of("STAGE_FAILED", "no")
    )
    const engine = yield* startEngine({
      scripts: { a: scannedDocument(3) },
      stages: [readingStage("ocr", far), documentStage("summary", far)],
      pipelines: [{ name: "p", steps: [{ stage: "ocr", pages: "scanned", optional }, { stage: "summary" }] }],
      downstreams: { far: { concurrency: 4 } }
    })
    const { id } = yield* engine.submit("a", acme, { pipeline })
    assert.strictEqual((yield* engine.awaitEnd(id)).status, "partial")
    works = true
    const before = far.asked.length
    const statuses = Effect.map(engine.pagesOf(id), (pages) =>
      pages.map(({ status, warnings = [] }) => [status, ...warnings.map(({ code }) => code)].join(" "))
    )
    return { ...engine, id, statuses, asked: () => sorted(far.asked.slice(before)) }
  })

  it.effect("holds the pages on which a stage that gives text was skipped, when that stage is asked for", () =>
    Effect.gen(function* () {
      const { asked, awaitEnd, id, ingestion, statuses } = yield* halfRead(true)
      assert.deepStrictEqual(yield* statuses, ["ok", "scanned STAGE_SKIPPED", "ok"])
      yield* ingestion.rerunStage(acme, id, { stage: ocr })
      yield* awaitEnd(id)
      assert.deepStrictEqual(yield* statuses, ["ok", "ok", "ok"])
      assert.deepStrictEqual(asked(), ["ocr 1", "ocr 2", "ocr 3"])
    })
  )

  it.effect("holds the pages that such a stage made fail", () =>
    Effect.gen(function* () {
      const { asked, awaitEnd, id, ingestion, statuses } = yield* halfRead(false)
      assert.deepStrictEqual(yield* statuses, ["ok", "failed", "ok"])
      const queued = yield* ingestion.rerunStage(acme, id, { stage: ocr })
      assert.deepStrictEqual(queued.progress, { pages: 3, done: 0, failed: 0 })
      yield* awaitEnd(id)
      assert.deepStrictEqual(yield* statuses, ["ok", "ok", "ok"])
      assert.deepStrictEqual(asked(), ["ocr 1", "ocr 2", "ocr 3"])
    })
  )

  it.effect("holds, at a retry, the pages on which such a stage was skipped, and no others", () =>
    Effect.gen(function* () {
      const { asked, awaitEnd, id, ingestion, statuses } = yield* halfRead(true)
      yield* ingestion.retry(acme, id)
      assert.strictEqual((yield* awaitEnd(id)).status, "completed")
      assert.deepStrictEqual(yield* statuses, ["ok", "ok", "ok"])
      assert.deepStrictEqual(asked(), ["ocr 2", "summary"])
    })
  )

  it.effect("holds, at a retry that reads pages again, what was made of the document without them", () =>
    Effect.gen(function* () {
      let works = false
      const far = new FarSide("10 millis", (what) =>
        works || what !== "ocr 2" ? Effect.void : StageError.of("STAGE_FAILED", "no")
      )
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(3) },
        stages: [
          readingStage("ocr", far),
          documentStage("index", far, ({ pages }) =>
            Effect.map(pages(1), (found) => ({
              content: contentOf(found.map(({ number, status }) => `${number} ${status}`).join())
            }))
          )
        ],
        pipelines: [{ name: "p", steps: [{ stage: "ocr", pages: "scanned" }, { stage: "index" }] }],
        downstreams: { far: { concurrency: 4 } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "partial")
      const index = Effect.gen(function* () {
        const found = yield* engine.ingestion.artifact(acme, id, { stage: StageName.make("index") })
        const [bytes = new Uint8Array()] = yield* Stream.runCollect(Option.getOrThrow(found).bytes ?? Stream.empty)
        return textOf({ bytes })
      })
      assert.strictEqual(yield* index, "1 ok,2 failed,3 ok")
      works = true
      yield* engine.ingestion.retry(acme, id)
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      assert.strictEqual(yield* index, "1 ok,2 ok,3 ok")
      assert.deepStrictEqual(far.asked.slice(4), ["ocr 2", "index"])
    })
  )

  it.effect("holds what later stages made of the text that is made again", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      let version = "roughly"
      const better = readingStage("better", far)
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(2) },
        stages: [
          running(readingStage("ocr", far), (input) =>
            Effect.map(readingStage("ocr", far).run(input), () => ({
              content: contentOf(version),
              reading: { text: version, lines: noLines },
              warnings: [{ code: "TEXT_UNSURE", message: "unsure" } as const]
            }))
          ),
          running(better, (input) =>
            Effect.map(better.run(input), () => ({
              content: contentOf(`better than ${input.page.text}`),
              reading: { text: `better than ${input.page.text}`, lines: noLines }
            }))
          )
        ],
        pipelines: [
          {
            name: "p",
            steps: [
              { stage: "ocr", pages: "scanned" },
              { stage: "better", pages: "warned" }
            ]
          }
        ],
        downstreams: { far: { concurrency: 4 } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      yield* engine.awaitEnd(id)
      const shown = Effect.gen(function* () {
        const found = yield* engine.ingestion.artifact(acme, id, { page: 1, stage: better.name })
        const [bytes = new Uint8Array()] = yield* Stream.runCollect(Option.getOrThrow(found).bytes ?? Stream.empty)
        return [(yield* engine.pagesOf(id))[0]?.text, textOf({ bytes })]
      })
      assert.deepStrictEqual(yield* shown, ["better than roughly", "better than roughly"])
      version = "precisely"
      yield* engine.ingestion.rerunStage(acme, id, { stage: ocr })
      yield* engine.awaitEnd(id)
      assert.deepStrictEqual(yield* shown, ["better than precisely", "better than precisely"])
      // What the first stage has read serves the second one again.
      const before = far.asked.length
      yield* engine.ingestion.rerunStage(acme, id, { stage: better.name })
      yield* engine.awaitEnd(id)
      assert.deepStrictEqual(sorted(far.asked.slice(before)), ["better 1", "better 2"])
      assert.deepStrictEqual(yield* shown, ["better than precisely", "better than precisely"])
    })
  )
})

describe("an artifact whose content is lost", () => {
  it.effect("fails the stage that needs it, with a code, and the document ends", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      let lost: Effect.Effect<void> = Effect.void
      const engine = yield* startEngine({
        scripts: { a: soundDocument(1) },
        stages: [
          pageStage("tables", far, { output: () => ({ content: contentOf("x".repeat(100_000)) }) }),
          documentStage("index", far, ({ earlierOfPage }) =>
            Effect.andThen(
              Effect.suspend(() => lost),
              Effect.map(earlierOfPage(1, StageName.make("tables")), (found) => ({
                content: contentOf(String(Option.isSome(found)))
              }))
            )
          )
        ],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }, { stage: "index" }] }],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      lost = Effect.gen(function* () {
        const found = yield* engine.artifacts.find(acme, id, { page: 1, stage: StageName.make("tables") })
        const content = Option.getOrThrow(found).content
        if (content?._tag === "Blob") yield* removed(content.hash)
      }).pipe(Effect.orDie)
      const removed = (hash: BlobHash) => engine.blobs.remove(hash)
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.interruptions], ["partial", 0])
      const [failed] = yield* engine.ingestion.artifacts(acme, id, { stage: StageName.make("index"), limit: 9 })
      assert.deepStrictEqual<unknown>([failed?.status, failed?.error?.code], ["failed", "BLOB_LOST"])
      assert.deepStrictEqual(far.asked, ["tables 1", "index"])
    })
  )
})
