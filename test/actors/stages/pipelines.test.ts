import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { PipelineName, StageName } from "../../../src/domain/pipeline/Pipeline.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { StageError } from "../../../src/services/pipelines/Stage.ts"
import { failure } from "../../../src/domain/Failure.ts"
import { acme, bytesOf, startEngine } from "../../support/engine.ts"
import { contentOf, documentStage, FarSide, pageStage, sourceStage, textOf } from "../../support/stages.ts"

const pipeline = PipelineName.make("p")
const text = (content: string) => new TextEncoder().encode(content)

describe("document stages", () => {
  it.effect("see all pages, and what stages made of them, when every page has its result", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      const engine = yield* startEngine({
        scripts: { a: soundDocument(120) },
        stages: [
          pageStage("tables", far),
          documentStage("summary", far, ({ earlierOfPage, pageCount, pages }) =>
            Effect.gen(function* () {
              let seen = 0
              for (let from = 1; ;) {
                const portion = yield* pages(from)
                const last = portion.at(-1)
                if (last === undefined) break
                seen += portion.length
                from = last.number + 1
              }
              const table = Option.map(yield* earlierOfPage(77, StageName.make("tables")), textOf)
              return { content: contentOf(`${seen} of ${pageCount}: ${Option.getOrElse(table, () => "none")}`) }
            })
          ),
          documentStage("index", far, ({ earlier }) =>
            Effect.map(earlier(StageName.make("summary")), (found) => ({
              content: contentOf(`indexed: ${textOf(Option.getOrThrow(found))}`)
            }))
          )
        ],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }, { stage: "summary" }, { stage: "index" }] }],
        downstreams: { far: { concurrency: 20 } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      assert.deepStrictEqual<unknown>(far.asked.slice(-2), ["summary", "index"])
      const found = yield* engine.ingestion.artifact(acme, id, { stage: StageName.make("index") })
      const bytes = Option.getOrThrow(found).bytes ?? Stream.empty
      const [content] = yield* Stream.runCollect(bytes)
      assert.strictEqual(content && textOf({ bytes: content }), "indexed: 120 of 120: tables of page 77")
    })
  )

  it.effect("that are required and fail leave the document partial; a retry runs only them", () =>
    Effect.gen(function* () {
      let works = false
      const far = new FarSide("10 millis", (what) =>
        works || what !== "summary" ? Effect.void : StageError.of("STAGE_FAILED", "no")
      )
      const engine = yield* startEngine({
        scripts: { a: soundDocument(2) },
        stages: [documentStage("summary", far), documentStage("index", far)],
        pipelines: [{ name: "p", steps: [{ stage: "summary" }, { stage: "index" }] }],
        downstreams: { far: {} }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "partial")
      assert.lengthOf(yield* engine.pagesOf(id), 2)
      works = true
      yield* engine.ingestion.retry(acme, id)
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
      assert.deepStrictEqual<unknown>(far.asked, ["summary", "index", "summary"])
    })
  )
})

describe("source stages", () => {
  const world = Effect.fnUntraced(function* (far: FarSide, pdf = bytesOf("made")) {
    return yield* startEngine({
      scripts: { made: soundDocument(3), sent: soundDocument(2) },
      stages: [sourceStage("office", far, pdf)],
      pipelines: [{ name: "p", steps: [{ stage: "office" }] }],
      downstreams: { far: { retry: { times: 0 } } },
      sources: {
        resolve: (url) => Effect.succeed({ _tag: "Url", url, name: url.slice(url.lastIndexOf("/") + 1) }),
        fetch: (url) => Stream.make(url.endsWith(".pdf") ? bytesOf("sent") : text("fetched text"))
      }
    })
  })

  it.effect("decide which files are taken; without one only PDFs are", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      const { awaitEnd, ingestion } = yield* world(far)
      const submit = (name: string, options: { readonly pipeline?: PipelineName } = { pipeline }) =>
        ingestion.submit(acme, text("some text"), { name, ...options })
      const taken = yield* submit("a.txt")
      assert.strictEqual((yield* awaitEnd(taken.id)).status, "completed")
      const codeOf = (refused: Effect.Effect<unknown, { readonly _tag: string }>) =>
        Effect.map(Effect.flip(refused), (error) => ("failure" in error ? error.failure : error))
      const wrongKind = yield* codeOf(submit("a.docx"))
      assert.deepStrictEqual<unknown>(
        wrongKind,
        failure("FORMAT_UNSUPPORTED", "the file is no PDF, and the stage office takes no file like this one")
      )
      const noPdf = yield* codeOf(submit("a.txt", {}))
      assert.include(JSON.stringify(noPdf), "NOT_PDF")
    })
  )

  it.effect("are left out for a PDF that they do not take: it is read as it is", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      const { awaitEnd, ingestion, pagesOf } = yield* world(far)
      const plain = yield* ingestion.submit(acme, bytesOf("sent"), { name: "a.pdf", pipeline })
      const fetched = yield* ingestion.submitSource(acme, "http://far.example/b.pdf", { pipeline })
      for (const { id } of [plain, fetched]) {
        assert.strictEqual((yield* awaitEnd(id)).status, "completed")
        assert.lengthOf(yield* pagesOf(id), 2)
        const made = yield* ingestion.artifact(acme, id, { stage: StageName.make("office") })
        assert.isTrue(Option.isNone(made))
      }
      assert.deepStrictEqual<unknown>(far.asked, [])
      const taken = yield* ingestion.submit(acme, bytesOf("sent"), { name: "a.txt", pipeline })
      assert.strictEqual((yield* awaitEnd(taken.id)).status, "completed")
      assert.lengthOf(yield* pagesOf(taken.id), 3)
      assert.deepStrictEqual<unknown>(far.asked, ["office"])
    })
  )

  it.effect("take files that are fetched, too", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      const { awaitEnd, ingestion, pagesOf } = yield* world(far)
      const { id } = yield* ingestion.submitSource(acme, "http://far.example/a.txt", { pipeline })
      assert.strictEqual((yield* awaitEnd(id)).status, "completed")
      assert.lengthOf(yield* pagesOf(id), 3)
      const other = yield* ingestion.submitSource(acme, "http://far.example/a.docx", { pipeline })
      assert.strictEqual((yield* awaitEnd(other.id)).failure?.code, "FORMAT_UNSUPPORTED")
    })
  )

  it.effect("that fail, or make no PDF, fail their document", () =>
    Effect.gen(function* () {
      const broken = yield* world(new FarSide("10 millis", () => StageError.of("STAGE_FAILED", "cannot be converted")))
      const { id } = yield* broken.ingestion.submit(acme, text("some text"), { name: "a.txt", pipeline })
      const document = yield* broken.awaitEnd(id)
      assert.deepStrictEqual<unknown>(
        [document.status, document.failure],
        ["failed", failure("STAGE_FAILED", "the stage office: cannot be converted")]
      )
      const wrong = yield* world(new FarSide("10 millis"), text("still no PDF"))
      const other = yield* wrong.ingestion.submit(acme, text("some text"), { name: "a.txt", pipeline })
      assert.deepStrictEqual<unknown>(
        (yield* wrong.awaitEnd(other.id)).failure,
        failure("STAGE_FAILED", "the stage office: what it made is not a PDF")
      )
    })
  )
})

describe("the pipeline of a document", () => {
  it.effect("is the one it names, or else its tenant's, or else the engine's; an unknown one is refused", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      const { awaitEnd, ingestion, submit } = yield* startEngine({
        stages: [documentStage("index", far)],
        pipelines: [{ name: "p", steps: [{ stage: "index" }] }],
        pipeline,
        downstreams: { far: {} }
      })
      yield* ingestion.setLimits(acme, { pipeline: PipelineName.make("text") })
      assert.strictEqual((yield* submit("of the tenant")).pipeline, undefined)
      yield* ingestion.setLimits(acme, { pipeline: null })
      const unnamed = yield* submit("a")
      assert.strictEqual(unnamed.pipeline, "p")
      assert.strictEqual((yield* awaitEnd(unnamed.id)).stages?.length, 1)
      const named = yield* submit("b", acme, { pipeline: PipelineName.make("text") })
      const read = yield* awaitEnd(named.id)
      assert.deepStrictEqual<unknown>([read.pipeline, read.stages], [undefined, undefined])
      const refused = yield* Effect.flip(submit("c", acme, { pipeline: PipelineName.make("none") }))
      assert.deepStrictEqual<unknown>(
        refused._tag === "SubmissionRejected" && refused.failure,
        failure("PIPELINE_UNKNOWN", "there is no pipeline none")
      )
      assert.deepStrictEqual<unknown>(
        ingestion.pipelines.all.map(({ name }) => name),
        [PipelineName.make("text"), pipeline]
      )
    })
  )

  it.effect("that is not there any more fails the document", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        store: (store) => ({
          // It was accepted by an engine that knew it.
          accept: (document, limits) => store.accept({ ...document, pipeline: PipelineName.make("gone") }, limits)
        })
      })
      const { id } = yield* engine.submit("a")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual<unknown>(
        [document.status, document.failure],
        ["failed", failure("PIPELINE_UNKNOWN", "there is no pipeline gone")]
      )
    })
  )
})
