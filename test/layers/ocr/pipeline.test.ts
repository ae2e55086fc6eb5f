import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, References, Stream } from "effect"
import { Ingestion, layerMemory } from "../../../src/index.ts"
import { ocrStageName } from "../../../src/layers/ocr/OcrStage.ts"
import { PipelineName } from "../../../src/domain/pipeline/Pipeline.ts"
import { PageImages } from "../../../src/services/PageImages.ts"
import { makePdf } from "../../support/pdf.ts"
import { acme } from "../../support/downstreams.ts"
import { type Scan, scansPdf } from "../../support/scans.ts"
import { inMemory, pdfOf } from "../pdf/engine.ts"

// The test's own priority, so that it passes beside busy processes.
const engine = layerMemory({
  workers: 1,
  images: { niceness: 0 },
  ocr: { engine: "tesseract.js", languages: ["eng", "deu"], niceness: 0 }
}).pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))

const text = "Der Hafenmeister zählt die Schiffe"
const size = { width: 260, height: 60 }

const draw = Effect.gen(function* () {
  const images = yield* PageImages
  const pdf = makePdf({ pages: [{ text: [{ text, x: 20, y: 30 }], mediaBox: [0, 0, size.width, size.height] }] })
  return yield* images.render(
    pdfOf("text", inMemory(pdf)),
    1,
    { size: { dpi: 200 }, format: "grey" },
    { tenant: acme, class: "online" }
  )
})

it.live(
  "Through the pipeline `ocr`, scanned pages get their text and words, and what shows no text stays as it is",
  () =>
    Effect.gen(function* () {
      const ingestion = yield* Ingestion
      const image = yield* draw
      const blank = { width: 40, height: 40, bytes: new Uint8Array(1_600).fill(255) }
      const scans: ReadonlyArray<Scan> = [
        { image, ...size },
        { image: blank, ...size }
      ]
      const submitted = yield* ingestion.submit(acme, scansPdf(scans), {
        name: "scan.pdf",
        pipeline: PipelineName.make("ocr")
      })
      yield* Stream.runDrain(ingestion.follow(acme, submitted.id))

      const document = yield* ingestion.status(acme, submitted.id)
      assert.strictEqual(document.status, "completed")
      const [read, seen] = yield* ingestion.pages(acme, submitted.id, { from: 1, limit: 10, detail: false })
      assert.deepStrictEqual([read?.status, read?.source, read?.text], ["ok", "ocr", text])
      assert.deepStrictEqual([seen?.status, seen?.text], ["scanned", ""])

      const stored = yield* ingestion.artifact(acme, submitted.id, { page: 1, stage: ocrStageName })
      assert.isTrue(Option.isSome(stored))
      if (Option.isNone(stored) || stored.value.bytes === undefined) return
      const bytes = yield* Stream.runCollect(stored.value.bytes)
      const content: unknown = JSON.parse(Buffer.concat(bytes).toString())
      assert.containSubset(content, {
        engine: "tesseract.js",
        languages: ["eng", "deu"],
        orientation: 0,
        lines: [
          {
            words: [{ text: "Der" }, { text: "Hafenmeister" }, { text: "zählt" }, { text: "die" }, { text: "Schiffe" }]
          }
        ]
      })
    }).pipe(Effect.provide(engine), Effect.scoped),
  300_000
)
