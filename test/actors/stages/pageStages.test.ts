import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Effect, Fiber, Option, Stream } from "effect"
import { PipelineName, StageName } from "../../../src/domain/pipeline/Pipeline.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { StageError } from "../../../src/services/pipelines/Stage.ts"
import { acme, startEngine, until } from "../../support/engine.ts"
import { contentOf, FarSide, pageStage, readingStage, running, scannedDocument, textOf } from "../../support/stages.ts"

const pipeline = PipelineName.make("p")
const all = { limit: 1_000 }

const collect = <E>(bytes: Stream.Stream<Uint8Array, E> | undefined) =>
  bytes === undefined
    ? Effect.succeed("")
    : Effect.map(Stream.runCollect(bytes), (parts) => textOf({ bytes: Buffer.concat(parts) }))

describe("page stages", () => {
  it.effect("make an artifact of every page, and the status counts them", () =>
    Effect.gen(function* () {
      const far = new FarSide()
      const engine = yield* startEngine({
        scripts: { a: soundDocument(12) },
        stages: [pageStage("tables", far)],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: { concurrency: 3 } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      const document = yield* engine.awaitEnd(id)
      assert.strictEqual(document.status, "completed")
      assert.strictEqual(document.pipeline, "p")
      assert.deepStrictEqual<unknown>(document.stages, [
        { stage: StageName.make("tables"), version: "1", kind: "page", done: 12, failed: 0, skipped: 0 }
      ])
      assert.strictEqual(far.most, 3)
      assert.deepStrictEqual<unknown>(far.twice, [])
      const artifacts = yield* engine.ingestion.artifacts(acme, id, all)
      assert.deepStrictEqual<unknown>(
        artifacts.map(({ page, stage, status }) => [page, stage, status]),
        Array.from({ length: 12 }, (_, index) => [index + 1, "tables", "done"])
      )
      const found = yield* engine.ingestion.artifact(acme, id, { page: 5, stage: StageName.make("tables") })
      assert.strictEqual(yield* collect(Option.getOrThrow(found).bytes), "tables of page 5")
    })
  )

  it.effect("give scanned pages their text before these are delivered, once", () =>
    Effect.gen(function* () {
      const far = new FarSide("200 millis")
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(10, "5 millis") },
        stages: [readingStage("ocr", far)],
        pipelines: [{ name: "p", steps: [{ stage: "ocr", pages: "scanned" }] }],
        downstreams: { far: { concurrency: 2 } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      const events = yield* engine.followed(id)
      const document = yield* engine.awaitEnd(id)
      assert.strictEqual(document.status, "completed")
      const pages = yield* engine.pagesOf(id)
      assert.deepStrictEqual<unknown>(
        pages.map(({ source, status, text }) => [status, text, source]),
        Array.from({ length: 10 }, (_, index) => ["ok", `ocr read page ${index + 1}`, "ocr"])
      )
      assert.lengthOf(far.answered, 10)
      const heard = yield* Fiber.join(events)
      assert.strictEqual(heard.filter(({ _tag }) => _tag === "PageDone").length, 10)
    })
  )

  it.effect("leave pages alone that a step does not select; such a document is stored as a whole", () =>
    Effect.gen(function* () {
      const far = new FarSide()
      const commits: Array<string> = []
      const engine = yield* startEngine({
        scripts: { a: soundDocument(3) },
        stages: [readingStage("ocr", far)],
        pipelines: [{ name: "p", steps: [{ stage: "ocr", pages: "scanned" }] }],
        downstreams: { far: {} },
        store: (store) => ({
          finishWhole: (fence, whole, outcome) => {
            commits.push("finishWhole")
            return store.finishWhole(fence, whole, outcome)
          },
          savePages: (fence, pages) => {
            commits.push("savePages")
            return store.savePages(fence, pages)
          }
        })
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      assert.deepStrictEqual<unknown>(commits, ["finishWhole"])
      assert.deepStrictEqual<unknown>(far.asked, [])
    })
  )

  it.effect("that make artifacts run while the text of their pages can be read", () =>
    Effect.gen(function* () {
      const far = new FarSide("1 hour")
      const engine = yield* startEngine({
        scripts: { a: soundDocument(2) },
        stages: [pageStage("tables", far)],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: { concurrency: 2, timeout: { whole: "3 hours" } } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      yield* until(Effect.sync(() => far.asked.length === 2))
      assert.lengthOf(yield* engine.pagesOf(id), 2)
      assert.strictEqual((yield* engine.ingestion.status(acme, id)).status, "running")
      assert.strictEqual((yield* engine.awaitEnd(id, acme, "5 minutes")).status, "completed")
    })
  )

  it.effect("see what earlier stages made of the same page, stored or not", () =>
    Effect.gen(function* () {
      const far = new FarSide()
      const seen: Array<string> = []
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(1) },
        stages: [
          pageStage("look", far),
          readingStage("ocr", far, { needs: ["look"] }),
          running(pageStage("tables", far, { needs: ["look", "ocr"] }), ({ earlier, page }) =>
            Effect.gen(function* () {
              for (const stage of ["look", "ocr", "none"]) {
                const content = yield* earlier(StageName.make(stage))
                seen.push(Option.match(content, { onNone: () => "nothing", onSome: textOf }))
              }
              seen.push(page.text)
              return { content: contentOf("") }
            })
          )
        ],
        pipelines: [{ name: "p", steps: [{ stage: "look" }, { stage: "ocr", pages: "scanned" }, { stage: "tables" }] }],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      assert.deepStrictEqual<unknown>(seen, ["look of page 1", "ocr of page 1", "nothing", "ocr read page 1"])
    })
  )

  it.effect(
    "that are required and fail make their pages or the document incomplete, and a retry repeats only them",
    () =>
      Effect.gen(function* () {
        let works = false
        const far = new FarSide("10 millis", (what) =>
          works || !["ocr 2", "tables 3"].includes(what)
            ? Effect.void
            : StageError.of("STAGE_FAILED", "the answer is not JSON")
        )
        const engine = yield* startEngine({
          scripts: { a: scannedDocument(4) },
          stages: [readingStage("ocr", far), pageStage("tables", far)],
          pipelines: [{ name: "p", steps: [{ stage: "ocr", pages: "scanned" }, { stage: "tables" }] }],
          downstreams: { far: {} }
        })
        const { id } = yield* engine.submit("a", acme, { pipeline })
        const first = yield* engine.awaitEnd(id)
        assert.strictEqual(first.status, "partial")
        assert.deepStrictEqual<unknown>(
          (yield* engine.pagesOf(id)).map(({ error, status }) => [status, error?.code, error?.message]),
          [
            ["ok", undefined, undefined],
            ["failed", "STAGE_FAILED", "the stage ocr: the answer is not JSON"],
            ["ok", undefined, undefined],
            ["ok", undefined, undefined]
          ]
        )
        const failed = (yield* engine.ingestion.artifacts(acme, id, all)).filter(({ status }) => status === "failed")
        assert.deepStrictEqual<unknown>(
          failed.map(({ error, page, stage }) => [page, stage, error?.code]),
          [
            [2, "ocr", "STAGE_FAILED"],
            [3, "tables", "STAGE_FAILED"]
          ]
        )
        const before = far.asked.length
        works = true
        yield* engine.ingestion.retry(acme, id)
        const second = yield* engine.awaitEnd(id)
        assert.strictEqual(second.status, "completed")
        assert.deepStrictEqual<unknown>(far.asked.slice(before).toSorted(), ["ocr 2", "tables 2", "tables 3"])
      })
  )

  it.effect("that are optional and fail leave a warning, and the document completes", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", (what) =>
        what === "ocr 2" || what === "tables 1" ? StageError.of("STAGE_FAILED", "no") : Effect.void
      )
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(2) },
        stages: [readingStage("ocr", far), pageStage("tables", far)],
        pipelines: [
          {
            name: "p",
            steps: [
              { stage: "ocr", pages: "scanned", optional: true },
              { stage: "tables", optional: true }
            ]
          }
        ],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      const [one, two] = yield* engine.pagesOf(id)
      assert.deepStrictEqual<unknown>([one?.status, one?.warnings], ["ok", undefined])
      assert.deepStrictEqual<unknown>(
        [two?.status, two?.warnings],
        ["scanned", [{ code: "STAGE_SKIPPED", message: "the stage ocr: no" }]]
      )
      const skipped = (yield* engine.ingestion.artifacts(acme, id, all)).filter(({ status }) => status === "skipped")
      assert.deepStrictEqual<unknown>(
        skipped.map(({ page, stage }) => [page, stage]),
        [
          [1, "tables"],
          [2, "ocr"]
        ]
      )
    })
  )

  it.effect("try again what may pass, and not what will not", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", (what, before) => {
        if (what === "tables 1") return before < 2 ? StageError.of("STAGE_FAILED", "a hiccup", true) : Effect.void
        if (what === "tables 2") return StageError.of("STAGE_FAILED", "always", true)
        return what === "tables 3" ? StageError.of("STAGE_FAILED", "final") : Effect.void
      })
      const engine = yield* startEngine({
        scripts: { a: soundDocument(4) },
        stages: [pageStage("tables", far)],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      const document = yield* engine.awaitEnd(id)
      assert.strictEqual(document.status, "partial")
      const [progress] = document.stages ?? []
      assert.deepStrictEqual<unknown>([progress?.done, progress?.failed], [2, 2])
      const calls = (page: number) => far.asked.filter((what) => what === `tables ${page}`).length
      assert.deepStrictEqual<unknown>([1, 2, 3, 4].map(calls), [3, 3, 1, 1])
    })
  )

  it.effect("that die of a defect fail by themselves, not their document", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", (what) =>
        what === "tables 2" ? Effect.die(new Error("a bug")) : Effect.void
      )
      const engine = yield* startEngine({
        scripts: { a: soundDocument(3) },
        stages: [pageStage("tables", far)],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      const document = yield* engine.awaitEnd(id)
      assert.strictEqual(document.status, "partial")
      const failed = (yield* engine.ingestion.artifacts(acme, id, all)).filter(({ status }) => status === "failed")
      assert.deepStrictEqual<unknown>(
        failed.map(({ error, page }) => [page, error?.code]),
        [[2, "STAGE_FAILED"]]
      )
    })
  )

  it.effect("may make much, as a blob, and not more than the limit", () =>
    Effect.gen(function* () {
      const far = new FarSide()
      const sizes = [10, 200_000, 1_000_001]
      const engine = yield* startEngine({
        scripts: { a: soundDocument(3) },
        limits: { artifactSize: ByteSize.bytes(1_000_000) },
        stages: [
          pageStage("tables", far, { output: (page) => ({ content: contentOf("x".repeat(sizes[page - 1] ?? 0)) }) })
        ],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "partial")
      const artifacts = yield* engine.ingestion.artifacts(acme, id, all)
      assert.deepStrictEqual<unknown>(
        artifacts.map(({ error, size }) => [size, error?.code]),
        [
          [10, undefined],
          [200_000, undefined],
          [0, "ARTIFACT_TOO_LARGE"]
        ]
      )
      const large = yield* engine.ingestion.artifact(acme, id, { page: 2, stage: StageName.make("tables") })
      assert.lengthOf(yield* collect(Option.getOrThrow(large).bytes), 200_000)
      const blobs = yield* Stream.runCollect(engine.blobs.list)
      yield* engine.ingestion.remove(acme, id)
      assert.strictEqual((yield* Stream.runCollect(engine.blobs.list)).length, blobs.length - 2)
    })
  )
})
