// Stages made of settings in an engine that a program embeds: what it is given is written as in PIPELINES_FILE.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, References, Stream } from "effect"
import { PipelineName } from "../../../src/domain/pipeline/Pipeline.ts"
import { Ingestion, layerMemory } from "../../../src/index.ts"
import type { MemoryOptions } from "../../../src/layers/Engine.ts"
import { PageImages } from "../../../src/services/PageImages.ts"
import { hasProgram } from "../../support/commands.ts"
import { acme } from "../../support/downstreams.ts"
import { makePdf, manyPages, textPage } from "../../support/pdf.ts"
import { scansPdf } from "../../support/scans.ts"
import { serve } from "../net/loopback.ts"
import { inMemory, pdfOf } from "../pdf/engine.ts"

const engine = (options: MemoryOptions) =>
  layerMemory({ workers: 1, ocr: { engine: "off" }, images: { niceness: 0 }, ...options }).pipe(
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
  )

const examples = (file: string) => JSON.parse(readFileSync(`examples/pipelines/${file}`, "utf8")).stages

const ended = Effect.fnUntraced(function* (pdf: Uint8Array, name: string, pipeline: string) {
  const ingestion = yield* Ingestion
  const { id } = yield* ingestion.submit(acme, pdf, { name, pipeline: PipelineName.make(pipeline) })
  yield* Stream.runDrain(ingestion.follow(acme, id))
  const document = yield* ingestion.status(acme, id)
  const pages = yield* ingestion.pages(acme, id, { from: 1, limit: 100, detail: false })
  return { id, document, pages }
})

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-stages-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const hasLatex = hasProgram("pdflatex") && hasProgram("prlimit")
const hasTesseract = hasProgram("tesseract") && hasProgram("prlimit")

describe("An engine with stages made of settings", () => {
  it.live("asks a far side about each page, and writes the document to a folder when all is done", () =>
    Effect.gen(function* () {
      const to = yield* folder
      const asked: Array<string> = []
      const { port } = yield* serve((request, response) => {
        let body = ""
        request.on("data", (part: Buffer) => (body += part.toString()))
        request.on("end", () => {
          asked.push(body)
          response.end(JSON.stringify({ length: body.length }))
        })
      })
      const options: MemoryOptions = {
        downstreams: { far: { url: `http://127.0.0.1:${port}`, concurrency: 2 } },
        stageSettings: {
          measure: { type: "http", kind: "page", downstream: "far", send: "text", answer: "json" },
          archive: { type: "target", to, files: [{ path: "{tenant}/{id}.txt", content: "text" }] }
        },
        pipelines: [{ name: "measured", steps: [{ stage: "measure" }, { stage: "archive" }] }]
      }
      const { document, id } = yield* ended(manyPages(5), "five.pdf", "measured").pipe(Effect.provide(engine(options)))
      assert.strictEqual(document.status, "completed")
      assert.deepStrictEqual(
        asked.toSorted(),
        [1, 2, 3, 4, 5].map((page) => `Page ${page} of 5`)
      )
      const path = join(to, `acme/${id}.txt`)
      assert.isTrue(existsSync(path))
      assert.deepStrictEqual(
        readFileSync(path, "utf8").match(/Page \d of 5/g),
        [1, 2, 3, 4, 5].map((page) => `Page ${page} of 5`)
      )
    })
  )

  it.live.skipIf(!hasLatex)("takes a LaTeX file as a document, and one with a mistake fails with what LaTeX said", () =>
    Effect.gen(function* () {
      const tex = (body: string) =>
        new TextEncoder().encode(`\\documentclass{article}\\begin{document}${body}\\end{document}`)
      const good = yield* ended(tex("The first of the seeds."), "seed.tex", "latex")
      assert.strictEqual(good.document.status, "completed")
      assert.include(good.pages[0]?.text, "The first of the seeds.")
      const bad = yield* ended(tex("\\nosuchcommand"), "bad.tex", "latex")
      assert.strictEqual(bad.document.status, "failed")
      assert.strictEqual(bad.document.failure?.code, "STAGE_FAILED")
      const other = yield* Effect.flip(ended(new Uint8Array([1, 2, 3]), "other.tex", "latex"))
      assert.include(other.message, "the stage latex takes no file like this one")
    }).pipe(
      Effect.provide(
        engine({ stageSettings: examples("latex.json"), pipelines: [{ name: "latex", steps: [{ stage: "latex" }] }] })
      )
    )
  )

  it.live.skipIf(!hasTesseract)("reads scanned pages with the command tesseract, and no other", () =>
    Effect.gen(function* () {
      const images = yield* PageImages
      const words = "Nine ships lie in the harbour tonight"
      const written = makePdf({ pages: [{ ...textPage([words], { size: 14 }), mediaBox: [0, 500, 595, 842] }] })
      const image = yield* images.render(
        pdfOf("words", inMemory(written)),
        1,
        { size: { dpi: 200 }, format: "grey" },
        { tenant: acme, class: "online" }
      )
      const { document, pages } = yield* ended(scansPdf([{ image, width: 595, height: 342 }]), "scan.pdf", "tesseract")
      assert.strictEqual(document.status, "completed")
      assert.deepStrictEqual([pages[0]?.status, pages[0]?.source, pages[0]?.text], ["ok", "tesseract", words])
      const plain = yield* ended(manyPages(2), "text.pdf", "tesseract")
      assert.deepStrictEqual(
        plain.pages.map(({ source, text }) => [source, text]),
        [
          [undefined, "Page 1 of 2"],
          [undefined, "Page 2 of 2"]
        ]
      )
    }).pipe(
      Effect.provide(
        engine({
          stageSettings: examples("tesseract.json"),
          pipelines: [{ name: "tesseract", steps: [{ stage: "tesseract", pages: "scanned" }] }]
        })
      ),
      Effect.scoped
    )
  )
})
